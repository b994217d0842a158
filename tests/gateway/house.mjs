// Starts the binary: everything in one process, on free ports, with data that goes when it ends.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../target', import.meta.url));

/** The binary that the command line names, or the one that `cargo build` makes. */
export const binary = () => process.argv[2] ?? join(target, 'debug', 'gatehouse');

/** Resolves to where the API is, the first key, and `stop`. */
export async function start(binary) {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-gateway-'));
  const settings = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GATEHOUSE_')));
  Object.assign(settings, {
    GATEHOUSE_DATA_DIRECTORY: folder,
    GATEHOUSE_HTTP_ADDRESS: '127.0.0.1:0',
    GATEHOUSE_SIMULATOR_ADDRESS: '127.0.0.1:0',
    GATEHOUSE_LOG: 'warn',
  });
  const child = spawn(binary, { env: settings, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  const stop = async () => {
    child.kill();
    await ended.catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  };
  let url;
  let key;
  const welcomed = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      url ??= line.match(/^\s*API\s+(http\S+)/)?.[1];
      key ??= line.match(/^\s*API key\s+(gh_\S+)/)?.[1];
      if (url && key) {
        child.stdout.resume();
        return { url, key, stop };
      }
    }
    throw new Error(`${binary} ended before it said where it is`);
  })();
  try {
    return await Promise.race([welcomed, ended.then(() => welcomed)]);
  } catch (error) {
    await stop();
    throw error;
  }
}

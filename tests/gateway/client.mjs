// The built example client (examples/typescript-client) against the binary: `node client.mjs [binary]`. It opens one
// door once and says so; with a key that does not count it opens none.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as house from './house.mjs';

const CLIENT = fileURLToPath(new URL('../../examples/typescript-client/dist/main.js', import.meta.url));

/** Runs the client to its end. */
async function run(url, key) {
  const env = { ...process.env, GATEHOUSE_URL: url, GATEHOUSE_API_KEY: key };
  const child = spawn(process.execPath, [CLIENT], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  return { code, said };
}

async function commands(url, key) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
  const body = JSON.stringify({ query: '{ commands(first: 10) { nodes { kind state } } }' });
  const response = await fetch(url, { method: 'POST', headers, body });
  return (await response.json()).data.commands.nodes;
}

const gatehouse = await house.start(house.binary());
try {
  const refused = await run(gatehouse.url, 'gh_nobodys-key');
  assert.equal(refused.code, 1, refused.said);
  assert.match(refused.said, /UNAUTHENTICATED/);
  assert.deepEqual(await commands(gatehouse.url, gatehouse.key), []);

  const { code, said } = await run(gatehouse.url, gatehouse.key);
  assert.equal(code, 0, said);
  assert.match(said, /57 doors\nOpening .*\n(  .*\n)*  SUCCEEDED, evidence .*\nOpen\.\n$/);
  assert.deepEqual(await commands(gatehouse.url, gatehouse.key), [{ kind: 'OPEN_DOOR', state: 'SUCCEEDED' }]);
  console.log('client: listed 57 doors, opened one once, followed it to SUCCEEDED; opened none with a wrong key');
} finally {
  await gatehouse.stop();
}

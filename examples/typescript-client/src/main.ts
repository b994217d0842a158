// Lists the doors, opens one and follows it to its end. See README.md.

import { randomUUID } from 'node:crypto';
import { Gatehouse, GraphQLFailure } from './gatehouse.ts';
import type { DoorsQuery, FollowCommandSubscription } from './generated/graphql.ts';
import { DOORS, FOLLOW_COMMAND, OPEN_DOOR } from './operations.ts';

// The schema lets an item of a list be null, so that one that cannot be read costs nobody the page.
type Door = NonNullable<NonNullable<DoorsQuery['doors']>['nodes'][number]>;
type Command = FollowCommandSubscription['commandUpdated'];

/** Every door whose name has this text, page by page. */
async function* doors(gatehouse: Gatehouse, text: string): AsyncGenerator<Door> {
  let after: string | null = null;
  do {
    const { doors: page }: DoorsQuery = await gatehouse.ask(DOORS, { after, text });
    yield* (page?.nodes ?? []).filter((door) => door !== null);
    after = page?.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
}

/** Opens a door and returns the command's id. An answer that is lost is asked for again: with one key that is safe. */
async function open(gatehouse: Gatehouse, door: Door): Promise<string> {
  const input = { doorId: door.id, idempotencyKey: randomUUID() };
  for (let attempt = 1; ; attempt++) {
    try {
      const { openDoor } = await gatehouse.ask(OPEN_DOOR, { input });
      if (openDoor.command === null) {
        throw new GraphQLFailure(...refusal(openDoor.userErrors));
      }
      return openDoor.command.id;
    } catch (error) {
      if (error instanceof GraphQLFailure || attempt === 3) {
        throw error;
      }
    }
  }
}

function refusal(errors: readonly { code: string; message: string }[]): [message: string, code: string] {
  return [errors.map((error) => error.message).join('; '), errors[0]?.code ?? 'UNKNOWN'];
}

/** Follows a command and returns how it ended. Only the server says so: an open stream is not an open door. */
async function follow(gatehouse: Gatehouse, id: string): Promise<Command> {
  let last: Command | undefined;
  for await (const { commandUpdated: command } of gatehouse.follow(FOLLOW_COMMAND, { id })) {
    // After a reconnect the present state is told once more.
    if (last === undefined || command.version > last.version) {
      console.log(`  ${command.state}, evidence ${command.evidence}`);
      last = command;
    }
  }
  if (last === undefined) {
    throw new Error(`the stream of ${id} ended without a word`);
  }
  return last;
}

function isWell(door: Door): boolean {
  return door.device?.health === 'HEALTHY';
}

/** What went wrong, with what caused it; a socket that the server closed says so with its code. */
function sentence(error: unknown): string {
  if (error instanceof Error) {
    return error.cause === undefined ? error.message : `${error.message}: ${sentence(error.cause)}`;
  }
  const { code, reason } = error as { code?: number; reason?: string };
  return code === undefined ? String(error) : `the socket was closed: ${code} ${reason ?? ''}`;
}

async function main(text: string): Promise<number> {
  const apiKey = process.env['GATEHOUSE_API_KEY'];
  if (apiKey === undefined) {
    console.error('GATEHOUSE_API_KEY is not set; `cargo run` and `gatehouse key create` print one.');
    return 2;
  }
  const gatehouse = new Gatehouse(process.env['GATEHOUSE_URL'] ?? 'http://127.0.0.1:8080/graphql', apiKey);
  try {
    let chosen: Door | undefined;
    let count = 0;
    for await (const door of doors(gatehouse, text)) {
      count += 1;
      const lock = door.state?.lock;
      console.log(`${door.id}  ${door.site?.name ?? '-'}  ${door.name}  ${lock?.value ?? '-'}${lock?.stale ? ' (stale)' : ''}`);
      if (door.capabilities.includes('OPEN_DOOR') && (chosen === undefined || isWell(door) && !isWell(chosen))) {
        chosen = door;
      }
    }
    console.log(`${count} doors`);
    if (chosen === undefined) {
      console.error('None of them can be opened by a pulse.');
      return 1;
    }
    console.log(`Opening ${chosen.name}`);
    const command = await follow(gatehouse, await open(gatehouse, chosen));
    if (command.state !== 'SUCCEEDED') {
      console.error(`${command.state}: ${command.failure?.message ?? 'nobody knows more'}`);
      return 1;
    }
    console.log('Open.');
    return 0;
  } catch (error) {
    console.error(sentence(error));
    return 1;
  } finally {
    await gatehouse.close();
  }
}

process.exitCode = await main(process.argv[2] ?? '');

// Gatehouse as a subgraph beside another one, behind a real gateway (Hive Gateway): `node main.mjs [binary]`. Prints
// each thing that was asserted and exits non-zero when one does not hold.
import { strict as assert } from 'node:assert';
import http from 'node:http';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import httpTransport from '@graphql-mesh/transport-http';
import wsTransport from '@graphql-mesh/transport-ws';
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';
import * as house from './house.mjs';
import * as upkeep from './upkeep.mjs';

const PATIENCE = 30_000;
// Hive Gateway tries again for half a minute after our 4403 before it tells its caller; a first event takes 0.2 s.
const SILENCE = 3_000;
let count = 0;

/** Runs one part; what it returns is shown behind its name. */
async function holds(name, part) {
  const began = performance.now();
  const detail = await part();
  count += 1;
  console.log(`ok  ${name}${detail ? `: ${detail}` : ''} (${Math.round(performance.now() - began)} ms)`);
}

async function post(url, query, variables, key) {
  const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
  const body = JSON.stringify({ query, variables });
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(PATIENCE) });
  return response.json();
}

async function data(url, query, variables, key) {
  const answer = await post(url, query, variables, key);
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  return answer.data;
}

/** What a subscription tells over server-sent events, until its stream ends or nobody waits any more. */
async function follow(url, query, variables, key, patience = PATIENCE) {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${key}` };
  const body = JSON.stringify({ query, variables });
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(patience) });
  assert.match(response.headers.get('content-type'), /^text\/event-stream/);
  let text = '';
  try {
    for await (const chunk of response.body) text += Buffer.from(chunk);
  } catch (error) {
    if (patience === PATIENCE) throw error;
  }
  return [...text.matchAll(/^data: ?(\{.*\})$/gm)].map(([, event]) => JSON.parse(event));
}

/** A gateway over both subgraphs, and how often it asked Gatehouse over HTTP with how many representations. */
async function gateway(supergraph, gatehouse) {
  const requests = [];
  const runtime = createGatewayRuntime({
    supergraph,
    logging: false,
    maskedErrors: false,
    transports: { http: httpTransport, ws: wsTransport },
    // A gateway has no rights of its own: each request carries its caller's key.
    propagateHeaders: {
      fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get('authorization') ?? undefined }),
    },
    transportEntries: {
      gatehouse: {
        options: {
          subscriptions: {
            kind: 'ws',
            location: `${gatehouse.url.replace('http', 'ws')}/ws`,
            options: { connectionParams: { authorization: '{context.headers.authorization}' } },
          },
        },
      },
    },
    fetchAPI: {
      fetch: (url, options) => {
        if (String(url) === gatehouse.url) {
          const { variables = {} } = JSON.parse(options.body);
          const lists = Object.values(variables).filter((value) => Array.isArray(value) && value[0]?.__typename);
          requests.push(lists.reduce((sum, list) => sum + list.length, 0));
        }
        return fetch(url, options);
      },
    },
  });
  const server = http.createServer(runtime);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await runtime[Symbol.asyncDispose]();
  };
  return { url: `http://127.0.0.1:${server.address().port}/graphql`, requests, stop };
}

async function run(gatehouse, stops) {
  const { key } = gatehouse;
  const all = '{ doors(first: 50) { nodes { id name capabilities site { id name } } } }';
  const doors = (await data(gatehouse.url, all, {}, key)).doors.nodes;
  assert.ok(doors.length > 20);
  const nobody = 'door_01m7yxqa0000000000000000aa';
  const other = await upkeep.start([doors[0].id, nobody, doors[1].id, doors[2].id]);
  stops.push(other.stop);

  let supergraph;
  await holds('both subgraphs compose', async () => {
    const { _service } = await data(gatehouse.url, '{ _service { sdl } }', {}, key);
    const composed = composeServices([
      { name: 'gatehouse', typeDefs: parse(_service.sdl), url: gatehouse.url },
      { name: 'upkeep', typeDefs: parse(upkeep.SDL), url: other.url },
    ]);
    assert.deepEqual(composed.errors ?? [], []);
    supergraph = composed.supergraphSdl;
    return `${supergraph.length} characters of supergraph`;
  });
  const front = await gateway(supergraph, gatehouse);
  stops.push(front.stop);

  await holds('a page of doors has the fields of both', async () => {
    const query = '{ doors(first: 50) { nodes { id name nextInspection site { id name caretaker } } } }';
    const { nodes } = (await data(front.url, query, {}, key)).doors;
    const expected = doors.map(({ id, name, site }) => ({
      id,
      name,
      nextInspection: upkeep.inspection(id),
      site: { ...site, caretaker: upkeep.caretaker(site.id) },
    }));
    assert.deepEqual(nodes, expected);
    assert.equal(front.requests.length, 1);
    return `${nodes.length} doors, 1 request to Gatehouse`;
  });

  await holds('what begins in the other subgraph is filled in by Gatehouse, in one batch', async () => {
    front.requests.length = 0;
    const answer = await post(front.url, '{ inspections { id name site { name } nextInspection } }', {}, key);
    const whole = ({ id, name, site }) => {
      return { id, name, site: { name: site.name }, nextInspection: upkeep.inspection(id) };
    };
    const [first, missing, second, third] = answer.data.inspections;
    assert.deepEqual([first, second, third], doors.slice(0, 3).map(whole));
    // A door that is gone takes nobody along.
    assert.equal(missing?.name ?? null, null);
    assert.deepEqual(front.requests, [4]);
    return '4 representations in 1 request, the one without a door alone is null';
  });

  await holds('whoever has no key gets nothing through the gateway', async () => {
    for (const wrong of [undefined, 'gh_nobodys-key']) {
      const answer = await post(front.url, '{ doors(first: 1) { nodes { id nextInspection } } }', {}, wrong);
      assert.equal(answer.data?.doors ?? null, null);
      assert.ok(JSON.stringify(answer.errors).includes('UNAUTHENTICATED'), JSON.stringify(answer));
    }
  });

  let opened;
  await holds('a door is opened and followed to its end, with the fields of both', async () => {
    const door = doors.find(({ capabilities }) => capabilities.includes('OPEN_DOOR'));
    const mutation = `mutation($input: OpenDoorInput!) {
      openDoor(input: $input) { command { id door { id nextInspection } } userErrors { code } }
    }`;
    const input = { doorId: door.id, idempotencyKey: 'gateway' };
    const { openDoor } = await data(front.url, mutation, { input }, key);
    assert.deepEqual(openDoor.userErrors, []);
    assert.deepEqual(openDoor.command.door, { id: door.id, nextInspection: upkeep.inspection(door.id) });
    opened = openDoor.command.id;
    const subscription = `subscription($id: ID!) {
      commandUpdated(id: $id) { state evidence door { name nextInspection site { caretaker } } }
    }`;
    const events = await follow(front.url, subscription, { id: opened }, key);
    assert.ok(events.length > 0);
    for (const event of events) {
      assert.equal(event.errors, undefined, JSON.stringify(event));
      assert.deepEqual(event.data.commandUpdated.door, {
        name: door.name,
        nextInspection: upkeep.inspection(door.id),
        site: { caretaker: upkeep.caretaker(door.site.id) },
      });
    }
    const states = events.map((event) => event.data.commandUpdated.state);
    assert.equal(states.at(-1), 'SUCCEEDED', states.join());
    return `${states.join(', ')}, then the end of the stream`;
  });

  await holds('whoever has no key hears nothing of the same command', async () => {
    const subscription = 'subscription($id: ID!) { commandUpdated(id: $id) { state } }';
    const events = await follow(front.url, subscription, { id: opened }, 'gh_nobodys-key', SILENCE);
    assert.ok(events.every((event) => !event.data?.commandUpdated), JSON.stringify(events));
  });
}

const stops = [];
const began = performance.now();
try {
  const gatehouse = await house.start(house.binary());
  stops.push(gatehouse.stop);
  await run(gatehouse, stops);
  console.log(`gateway: ${count} held, 0 missed, ${((performance.now() - began) / 1000).toFixed(1)} s`);
} catch (error) {
  console.error(error);
  console.error(`gateway: ${count} held, then one missed`);
  process.exitCode = 1;
} finally {
  for (const stop of stops.reverse()) await stop();
}

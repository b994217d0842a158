// The second subgraph: somebody else's service that knows when doors are inspected and who looks after a site. It has
// their ids only; names and states are Gatehouse's.
import http from 'node:http';
import { buildSchema, graphql } from 'graphql';

export const SDL = /* GraphQL */ `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])

  type Query {
    "Doors to be inspected, by what this service has on file."
    inspections: [Door]!
  }

  type Door @key(fields: "id") {
    id: ID!
    nextInspection: String!
  }

  type Site @key(fields: "id") {
    id: ID!
    caretaker: String!
  }
`;

export const inspection = (id) => `inspection of ${id}`;
export const caretaker = (id) => `caretaker of ${id}`;

/** Starts it; `onFile` is the list of doors it would have inspected, `asked` what came in as representations. */
export async function start(onFile) {
  const asked = [];
  const executable = buildSchema(`
    scalar _Any
    union _Entity = Door | Site
    type Query { inspections: [Door]! _entities(representations: [_Any!]!): [_Entity]! }
    type Door { id: ID! nextInspection: String! }
    type Site { id: ID! caretaker: String! }
  `);
  const known = {
    Door: (id) => ({ __typename: 'Door', id, nextInspection: inspection(id) }),
    Site: (id) => ({ __typename: 'Site', id, caretaker: caretaker(id) }),
  };
  const rootValue = {
    inspections: () => onFile.map(known.Door),
    _entities: ({ representations }) => {
      asked.push(representations);
      return representations.map(({ __typename, id }) => known[__typename](id));
    },
  };
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { query, variables } = JSON.parse(body);
    const answer = await graphql({ schema: executable, source: query, variableValues: variables, rootValue });
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, asked, stop };
}

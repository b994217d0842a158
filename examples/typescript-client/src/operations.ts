// The operations of this client. `npm run generate` reads them here and types their variables and results.

import { graphql } from './generated/gql.ts';

/** A page of doors. */
export const DOORS = graphql(/* GraphQL */ `
  query Doors($after: String, $text: String) {
    doors(first: 50, after: $after, filter: { text: $text }) {
      nodes {
        id
        name
        capabilities
        site {
          name
        }
        device {
          health
        }
        state {
          lock {
            value
            stale
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

/** Opens a door once. The same key is the same command, however often it is sent. */
export const OPEN_DOOR = graphql(/* GraphQL */ `
  mutation OpenDoor($input: OpenDoorInput!) {
    openDoor(input: $input) {
      command {
        id
        expiresAt
      }
      userErrors {
        code
        message
      }
    }
  }
`);

/** A command as it is now, then every change, until it has come to its end. */
export const FOLLOW_COMMAND = graphql(/* GraphQL */ `
  subscription FollowCommand($id: ID!) {
    commandUpdated(id: $id) {
      version
      state
      evidence
      failure {
        code
        message
      }
    }
  }
`);

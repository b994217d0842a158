// One connection to Gatehouse: queries and mutations over HTTP, subscriptions over graphql-transport-ws. It knows no
// operation; those stand in operations.ts.

import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { TypedDocumentString } from './generated/graphql.ts';

/** What the server said to an operation that has no data, with its code (`extensions.code`). */
export class GraphQLFailure extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(`${code}: ${message}`);
    this.name = 'GraphQLFailure';
    this.code = code;
  }
}

interface Answer<Result> {
  data?: Result | null;
  errors?: readonly { message: string; extensions?: Record<string, unknown> }[];
}

/** A caller with one API key. */
export class Gatehouse {
  readonly #url: URL;
  readonly #authorization: string;
  readonly #socket: Client;

  constructor(url: string, apiKey: string) {
    this.#url = new URL(url);
    this.#authorization = `Bearer ${apiKey}`;
    const socketUrl = new URL(`${this.#url.pathname}/ws`, this.#url);
    socketUrl.protocol = socketUrl.protocol === 'https:' ? 'wss:' : 'ws:';
    this.#socket = createClient({
      url: socketUrl.href,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: this.#authorization },
      // A lost connection is opened again and its subscriptions with it: each begins with the present state. A key that
      // does not count (4403) is not better for being tried again.
      retryAttempts: 10,
      shouldRetry: (event) => (event as { code?: number }).code !== 4403,
    });
  }

  /** The data of a query or mutation; throws when there is none, or only a part. */
  async ask<Result, Variables>(document: TypedDocumentString<Result, Variables>, variables: Variables): Promise<Result> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        authorization: this.#authorization,
      },
      body: JSON.stringify({ query: document.toString(), variables }),
      signal: AbortSignal.timeout(15_000),
    });
    if (!response.headers.get('content-type')?.startsWith('application/graphql-response+json')) {
      throw new Error(`${this.#url.href} answered ${response.status} and not as a GraphQL server`);
    }
    return whole((await response.json()) as Answer<Result>);
  }

  /** The events of a subscription, until the server ends it. */
  async *follow<Result, Variables extends Record<string, unknown>>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): AsyncGenerator<Result, void> {
    for await (const event of this.#socket.iterate<Result>({ query: document.toString(), variables })) {
      yield whole(event as Answer<Result>);
    }
  }

  /** Closes the socket. */
  async close(): Promise<void> {
    await this.#socket.dispose();
  }
}

function whole<Result>({ data, errors }: Answer<Result>): Result {
  const error = errors?.[0];
  if (error !== undefined) {
    throw new GraphQLFailure(error.message, String(error.extensions?.['code'] ?? 'UNKNOWN'));
  }
  if (data === undefined || data === null) {
    throw new GraphQLFailure('the answer has no data', 'UNKNOWN');
  }
  return data;
}

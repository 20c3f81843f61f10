/**
 * What express serves on the RPC port: REST under /v1, its OpenAPI document, and metrics.
 *
 * Upholds: parameters are checked by the schema that documents them; a refusal is a problem with a
 * code, an unexpected failure is logged and answered without its text.
 *
 * @module
 */
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type Response,
} from 'express';
import { describe } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { MetricsPage } from './metrics.ts';
import type { RpcPorts } from './ports.ts';
import { chainEndpoints } from './rest/chain-endpoints.ts';
import { contractEndpoints } from './rest/contract-endpoints.ts';
import { type Endpoint, type Problem, problem, problemOf } from './rest/endpoint.ts';
import { memoryEndpoints } from './rest/memory-endpoints.ts';
import { openApi } from './rest/openapi.ts';
import { spaceEndpoints } from './rest/space-endpoints.ts';
import type { WebHandler } from './server.ts';

/** What the pages are made of. */
export type WebOptions = {
  readonly ports: RpcPorts;
  /** Prefix of bech32 addresses. */
  readonly prefix: string;
  /** This program's version. */
  readonly version: string;
  readonly metrics: MetricsPage | undefined;
  readonly logger: Logger;
};

/** All REST endpoints over the ports. */
export function restEndpoints(ports: RpcPorts, prefix: string): readonly Endpoint[] {
  return [
    ...chainEndpoints(ports),
    ...memoryEndpoints(ports, prefix),
    ...spaceEndpoints(ports),
    ...contractEndpoints(ports),
  ];
}

/** What a client is told of a failure of ours. */
const NODE_FAILED = 'the node could not answer; its log says why';

function refuse(response: Response, body: Problem): void {
  response.status(body.status).type('application/problem+json').send(JSON.stringify(body));
}

function issueText(issue: {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}): string {
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`;
}

async function serve(
  endpoint: Endpoint,
  request: Request,
  response: Response,
  logger: Logger,
): Promise<void> {
  const given = endpoint.params.safeParse({ ...request.query, ...request.params });
  if (!given.success) {
    refuse(response, problem(400, given.error.issues.map(issueText).join('; '), 'rest/1'));
    return;
  }
  try {
    response.json(await endpoint.call(given.data));
  } catch (thrown) {
    const refusal = problemOf(thrown);
    if (refusal === undefined) {
      logger.error('rest request failed', { path: endpoint.path, reason: describe(thrown) });
    }
    const failure = problem(500, NODE_FAILED, 'rest/0');
    refuse(response, refusal ?? failure);
  }
}

/** What express could not take apart, such as `%zz` in a path, is a problem like any other. */
function malformed(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    request.resume();
    if (response.headersSent) next(thrown);
    else if (thrown instanceof URIError) {
      refuse(response, problem(400, `${request.path} is not percent-encoded UTF-8`, 'rest/1'));
    } else {
      logger.error('rest request failed', { path: request.path, reason: describe(thrown) });
      refuse(response, problem(500, NODE_FAILED, 'rest/0'));
    }
  };
}

/** The handler for everything that is no JSON-RPC. */
export function createWeb(options: WebOptions): WebHandler {
  const { ports, prefix, version, metrics, logger } = options;
  const endpoints = restEndpoints(ports, prefix);
  const app: Express = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  for (const endpoint of endpoints) {
    app.get(endpoint.path, (request, response) => serve(endpoint, request, response, logger));
  }
  const document = openApi(endpoints, version);
  app.get('/v1/openapi.json', (_, response) => {
    response.json(document);
  });
  if (metrics !== undefined) {
    app.get('/metrics', async (_, response) => {
      response.type(metrics.contentType).send(await metrics.text());
    });
  }
  app.use((request, response) => {
    request.resume();
    refuse(response, problem(404, `there is nothing at ${request.path}`, 'rpc/5'));
  });
  app.use(malformed(logger));
  return (request, response) => {
    app(request, response);
  };
}

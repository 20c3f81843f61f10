/**
 * The OpenAPI 3.1 document of REST, derived from the endpoints that serve it.
 *
 * Upholds: every endpoint is documented and nothing else; parameters and answers are the schemas
 * that check them.
 * Spec: OpenAPI 3.1.1, JSON Schema 2020-12.
 *
 * @module
 */
import * as z from 'zod';
import { type Endpoint, problemSchema } from './endpoint.ts';

type Schema = Readonly<Record<string, unknown>>;

function schemaOf(type: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io });
  return schema;
}

function names(path: string): readonly string[] {
  return [...path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
}

function parameters({ path, params }: Endpoint): readonly object[] {
  const inPath = names(path);
  const { required = [] } = schemaOf(params, 'input') as { readonly required?: readonly string[] };
  return Object.entries(params.shape).map(([name, type]) => ({
    name,
    in: inPath.includes(name) ? 'path' : 'query',
    required: inPath.includes(name) || required.includes(name),
    schema: schemaOf(type as z.ZodType, 'input'),
  }));
}

const PROBLEM = {
  description: 'The request was refused',
  content: {
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
  },
};

function operation(endpoint: Endpoint): object {
  return {
    summary: endpoint.summary,
    operationId: endpoint.path.replace(/^\/v1\//, '').replace(/[/:]+/g, '_'),
    parameters: parameters(endpoint),
    responses: {
      200: {
        description: 'The answer',
        content: { 'application/json': { schema: schemaOf(endpoint.answer, 'output') } },
      },
      default: PROBLEM,
    },
  };
}

/** The document, as a JSON value. */
export function openApi(endpoints: readonly Endpoint[], version: string): object {
  const paths = endpoints.map((endpoint) => [
    endpoint.path.replace(/:(\w+)/g, '{$1}'),
    { get: operation(endpoint) },
  ]);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Metatron Ledger explorer',
      version,
      description: 'Reads a node: blocks, transactions, accounts, memories and their proofs.',
    },
    paths: Object.fromEntries(paths),
    components: { schemas: { Problem: schemaOf(problemSchema, 'output') } },
  };
}

import type { GenericSchema } from 'valibot';
import { version } from './version.ts';

/** What a service answers to, as its OpenAPI document says it; `{name}` in a path is a parameter. */
export interface Operation {
  readonly id: string;
  readonly method: 'get' | 'post' | 'delete';
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly headers?: readonly { readonly name: string; readonly description: string }[];
  readonly body?: GenericSchema;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Statuses that come with problem details (RFC 9457), beside 500, which all may come with. */
  readonly problems?: Readonly<Record<number, string>>;
  /** Whether the mesh wants a token of its issuer. */
  readonly token?: boolean;
}

export interface Answer {
  readonly description: string;
  readonly schema?: GenericSchema;
  /** What it is when it is not JSON. */
  readonly text?: string;
}

const problem = {
  type: 'object',
  description: 'Problem details (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'instance'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    order_id: { type: 'string', description: 'The order that came of it, where there is one.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

/** An OpenAPI 3.1 document of these operations. What requests are checked by is what it says of them. */
export async function describe(title: string, operations: readonly Operation[]): Promise<object> {
  const { toJsonSchema } = await import('@valibot/to-json-schema');
  const schema = (of: GenericSchema): object => {
    // Checks written as code have no words in JSON Schema; descriptions tell of them.
    const { $schema: _, ...rest } = toJsonSchema(of, { target: 'draft-2020-12', errorMode: 'ignore' });
    return rest;
  };
  const json = (of: GenericSchema): object => ({ 'application/json': { schema: schema(of) } });

  function response({ description, schema: of, text }: Answer): object {
    if (of !== undefined) return { description, content: json(of) };
    if (text !== undefined) return { description, content: { [text]: { schema: { type: 'string' } } } };
    return { description };
  }
  function operation(each: Operation): object {
    const problems = { ...each.problems, 500: 'Something went wrong here.' };
    const parameters = [
      ...[...each.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true })),
      ...(each.headers ?? []).map((header) => ({ ...header, in: 'header', required: false })),
    ].map((parameter) => ({ ...parameter, schema: { type: 'string' } }));
    return {
      operationId: each.id,
      summary: each.summary,
      ...(each.description === undefined ? {} : { description: each.description }),
      ...(parameters.length === 0 ? {} : { parameters }),
      ...(each.token === true ? { security: [{ token: [] }] } : {}),
      ...(each.body === undefined ? {} : { requestBody: { required: true, content: json(each.body) } }),
      responses: {
        ...Object.fromEntries(Object.entries(each.answers).map(([status, answer]) => [status, response(answer)])),
        ...Object.fromEntries(
          Object.entries(problems).map(([status, description]) => [
            status,
            {
              description,
              content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
            },
          ]),
        ),
      },
    };
  }

  const paths: Record<string, Record<string, object>> = {};
  for (const each of operations) (paths[each.path] ??= {})[each.method] = operation(each);
  return {
    openapi: '3.1.0',
    info: { title, version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Problem: problem },
      ...(operations.some(({ token }) => token === true)
        ? {
            securitySchemes: {
              token: {
                type: 'http',
                scheme: 'bearer',
                bearerFormat: 'JWT',
                description: 'A token with the role `staff` (`mizzen token --claim role=staff`); the mesh checks it.',
              },
            },
          }
        : {}),
    },
  };
}

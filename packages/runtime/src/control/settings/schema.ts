/** JSON Schema of `mizzen.yaml`; published as docs/reference/schemas/mizzen-yaml.schema.json. */
export const MIZZEN_YAML_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'mizzen.yaml',
  description: 'How the workloads of manifests that must not be touched run on this machine.',
  type: 'object',
  additionalProperties: false,
  properties: {
    workloads: {
      description: 'Deployments, StatefulSets and Pods, by name or by NAME.NAMESPACE.',
      type: 'object',
      additionalProperties: { $ref: '#/$defs/workload' },
    },
  },
  $defs: {
    workload: {
      type: 'object',
      additionalProperties: false,
      properties: {
        run: { $ref: '#/$defs/run' },
        dir: { $ref: '#/$defs/dir' },
        watch: { $ref: '#/$defs/watch' },
        requires: { $ref: '#/$defs/requires' },
        build: { $ref: '#/$defs/build' },
        env: { $ref: '#/$defs/env' },
        engine: { description: 'What its sidecars, or a gateway, are.', enum: ['mizzen', 'envoy'] },
        containers: {
          description: 'For pods of several containers: each by its name. The fields above are those of the first.',
          type: 'object',
          additionalProperties: { $ref: '#/$defs/container' },
        },
      },
    },
    container: {
      type: 'object',
      additionalProperties: false,
      properties: {
        run: { $ref: '#/$defs/run' },
        dir: { $ref: '#/$defs/dir' },
        watch: { $ref: '#/$defs/watch' },
        requires: { $ref: '#/$defs/requires' },
        build: { $ref: '#/$defs/build' },
        env: { $ref: '#/$defs/env' },
      },
    },
    run: {
      description:
        'A command for a shell, or a program and its arguments. `external`: a person starts it. `stand-in`: nothing runs, and the built-in stand-in answers.',
      oneOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', items: { type: 'string' }, minItems: 1 },
      ],
    },
    dir: { description: 'Working directory, relative to this file.', type: 'string' },
    watch: {
      description: 'Files and directories, relative to `dir`, whose change restarts the workload.',
      oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    },
    requires: {
      description: 'Programs that must be installed; without one of them the workload is not started, and says so.',
      oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    },
    build: {
      description: 'A command that runs in `dir` before `run` does. What it makes belongs into `$MIZZEN_BUILD_DIR`.',
      oneOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', items: { type: 'string' }, minItems: 1 },
      ],
    },
    env: {
      description: 'Environment variables, over those of the manifest. `$(NAME)` refers to another one.',
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
    },
  },
} as const;

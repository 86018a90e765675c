import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import { compileCidr } from '../../program/match/cidr.ts';
import { compileString } from '../../program/match/string.ts';
import { uriTemplate } from '../../program/match/uri-template.ts';
import type { Path } from '../../program/path.ts';
import { headerRule, metadataRule, pathRule, pathTest } from './common.ts';
import { all, always, any, never, not, type Rule } from './rule.ts';

const MAX_PORT = 65535;

/** What is asked for. After a refusal: a rule that never holds. */
export function compilePermission(context: CompileContext, permission: types.rbac.Permission, path: Path): Rule {
  const set = (name: 'andRules' | 'orRules'): Rule[] =>
    (permission[name]?.rules ?? []).map((rule, i) => compilePermission(context, rule, [...path, name, 'rules', i]));
  if (permission.any !== undefined) return always;
  if (permission.andRules !== undefined) return all(set('andRules'));
  if (permission.orRules !== undefined) return any(set('orRules'));
  if (permission.notRule !== undefined)
    return not(compilePermission(context, permission.notRule, [...path, 'notRule']));
  if (permission.header !== undefined) return headerRule(context, permission.header, [...path, 'header']);
  if (permission.urlPath !== undefined) return pathRule(context, permission.urlPath, [...path, 'urlPath']);
  if (permission.destinationIp !== undefined) {
    const range = compileCidr(context, permission.destinationIp, [...path, 'destinationIp']);
    if (range === undefined) return never;
    return {
      text: `destination address is in ${range.text}`,
      test: (connection) => range.contains(connection.localAddress),
    };
  }
  if (permission.destinationPort !== undefined) {
    const port = permission.destinationPort;
    return { text: `port is ${port}`, test: (connection) => connection.localPort === port };
  }
  if (permission.destinationPortRange !== undefined) {
    const { start = 0, end = 0 } = permission.destinationPortRange;
    const at = [...path, 'destinationPortRange'];
    if (start >= end) context.refuse(at, 'is empty: `end` is not part of it');
    else if (start < 0 || end > MAX_PORT + 1) context.refuse(at, `is not of ports: they are from 0 to ${MAX_PORT}`);
    return {
      text: `port is from ${start} to below ${end}`,
      test: ({ localPort }) => localPort >= start && localPort < end,
    };
  }
  if (permission.metadata !== undefined)
    return metadataRule(context, permission.metadata, 'DYNAMIC', [...path, 'metadata']);
  if (permission.sourcedMetadata !== undefined) {
    const { metadataMatcher, metadataSource } = permission.sourcedMetadata;
    return metadataRule(context, metadataMatcher ?? {}, metadataSource ?? 'DYNAMIC', [
      ...path,
      'sourcedMetadata',
      'metadataMatcher',
    ]);
  }
  if (permission.requestedServerName !== undefined) {
    const name = compileString(context, permission.requestedServerName, [...path, 'requestedServerName']);
    return {
      text: `server name (SNI) ${name.text}`,
      test: (connection) => name.matches(connection.requestedServerName),
    };
  }
  if (permission.uriTemplate !== undefined)
    return templateRule(context, permission.uriTemplate, [...path, 'uriTemplate']);
  context.refuse(path, 'must say what is permitted');
  return never;
}

function templateRule(context: CompileContext, extension: types.core.TypedExtensionConfig, path: Path): Rule {
  const config = extension.typedConfig as { readonly '@type': string; readonly pathTemplate?: string } | undefined;
  if (config === undefined || !config['@type'].endsWith('.UriTemplateMatchConfig')) {
    context.refuse([...path, 'typedConfig'], 'only a URI template is supported');
    return never;
  }
  try {
    const template = uriTemplate(config.pathTemplate ?? '');
    return pathTest(`path matches the template "${template.text}"`, template.matches);
  } catch (error) {
    context.refuse(
      [...path, 'typedConfig', 'pathTemplate'],
      `\`${config.pathTemplate ?? ''}\` ${(error as Error).message}`,
    );
    return never;
  }
}

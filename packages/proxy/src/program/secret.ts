import { TypeUrl, type types } from '@mizzen/xds';
import { CompileContext } from './context.ts';
import { readResource } from './read-resource.ts';
import { compileCertificate } from './tls-certificate.ts';
import { compileValidation } from './tls-validation.ts';
import { compileTicketKeys } from './tls.ts';
import type { Compiled, CompileDeps, SecretProgram } from './types.ts';
import { dataSource } from './values.ts';

/** Compiles an SDS resource. Pure: nothing outside `deps` is touched. */
export function compileSecret(resource: unknown, deps: CompileDeps): Compiled<SecretProgram> {
  const read = readResource(TypeUrl.secret, resource);
  if (read.nacks.length > 0) return { nacks: read.nacks };
  const secret = read.resource as types.tls.Secret;
  const context = new CompileContext(TypeUrl.secret, secret.name ?? '', deps);
  const program = compileKind(context, secret);
  if (program === undefined || context.nacks.length > 0) return { nacks: context.nacks };
  return { program };
}

function compileKind(context: CompileContext, secret: types.tls.Secret): SecretProgram | undefined {
  const name = secret.name ?? '';
  if (secret.tlsCertificate !== undefined) {
    const certificate = compileCertificate(context, secret.tlsCertificate, ['tlsCertificate']);
    return certificate === undefined ? undefined : { kind: 'certificate', name, certificate };
  }
  if (secret.validationContext !== undefined) {
    return {
      kind: 'validation',
      name,
      validation: compileValidation(context, secret.validationContext, ['validationContext'], false),
    };
  }
  if (secret.genericSecret !== undefined) {
    const value = dataSource(context, secret.genericSecret.secret ?? {}, ['genericSecret', 'secret']);
    return value === undefined ? undefined : { kind: 'generic', name, value };
  }
  if (secret.sessionTicketKeys !== undefined) {
    return {
      kind: 'ticket-keys',
      name,
      keys: compileTicketKeys(context, secret.sessionTicketKeys, ['sessionTicketKeys']),
    };
  }
  context.refuse([], 'must hold a certificate, a validation context, session ticket keys or a generic secret');
  return undefined;
}

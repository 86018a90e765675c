/** As Kubernetes makes `<SVC>_SERVICE_HOST` and Mizzen makes `PORT_<NAME>`: capitals, other characters as underscores. */
export function envName(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_');
}

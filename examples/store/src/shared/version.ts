import manifest from '../../package.json' with { type: 'json' };

/** The version of the store's code, by semantic versioning: the one of its package and of its images. */
export const version: string = manifest.version;

/** Which of several deployments of a service this is (the catalog's v1 and v2). */
export const variant: string | undefined = process.env.VERSION;

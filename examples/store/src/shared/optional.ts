/** Loads a client that only some settings need, and says which one asked for it when it is not installed. */
export async function optional<Module>(
  load: () => Promise<Module>,
  packageName: string,
  setting: string,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(`${setting} needs the package ${packageName}, which is not installed: npm install ${packageName}`, {
      cause: error,
    });
  }
}

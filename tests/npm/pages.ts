/** Later. */
export async function checkPages(_tarball: string, _tell: unknown): Promise<void> {}

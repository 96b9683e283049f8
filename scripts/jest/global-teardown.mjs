/** Stops what global-setup started. */
export default async function stopServers() {
  await globalThis.stopTestServers?.();
}

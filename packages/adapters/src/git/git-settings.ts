import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { CheckedHost } from '../web/checked-host.ts';

/** Where git lies on the systems we run on. Nothing else of our own environment reaches it. */
export const defaultSearchPath = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin';

/**
 * The environment of git: no configuration but ours, nobody to ask, no proxy, no keys of this machine.
 * @param folder an empty folder is made out of `home` in it
 */
export function gitEnvironment(folder: string, searchPath: string): Record<string, string> {
  return {
    PATH: searchPath,
    HOME: join(folder, 'home'),
    XDG_CONFIG_HOME: join(folder, 'home'),
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    GIT_ALLOW_PROTOCOL: 'http:https',
    GIT_LFS_SKIP_SMUDGE: '1',
    // A repository in a folder above ours must not be taken for it.
    GIT_CEILING_DIRECTORIES: folder,
  };
}

/** Settings that a hostile server or repository cannot get around; given on the command line, they win over files. */
export function gitSettings(host: CheckedHost): string[] {
  const settings: Record<string, string> = {
    'core.hooksPath': '/dev/null',
    'core.symlinks': 'false',
    'core.autocrlf': 'false',
    'core.protectHFS': 'true',
    'core.protectNTFS': 'true',
    'core.fsmonitor': 'false',
    'core.bigFileThreshold': '16m',
    'credential.helper': '',
    'submodule.recurse': 'false',
    'fetch.recurseSubmodules': 'false',
    'fetch.writeCommitGraph': 'false',
    'gc.auto': '0',
    'maintenance.auto': 'false',
    'protocol.allow': 'never',
    'protocol.http.allow': 'always',
    'protocol.https.allow': 'always',
    'protocol.version': '2',
    'transfer.bundleURI': 'false',
    // Also turns off the other places that a plain server can name (objects/info/http-alternates).
    'http.followRedirects': 'false',
    'http.userAgent': 'semantic-memory',
    'http.proxy': '',
    // The connection goes to what was checked; a name is not looked up again. Since git 2.37.
    'http.curloptResolve': resolveEntry(host),
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** As libcurl wants it: https://curl.se/libcurl/c/CURLOPT_RESOLVE.html */
function resolveEntry({ hostname, port, addresses }: CheckedHost): string {
  const list = addresses.map((address) => (isIPv6(address) ? `[${address}]` : address));
  return `${isIPv6(hostname) ? `[${hostname}]` : hostname}:${port}:${list.join(',')}`;
}

/** Leaves every byte as it was committed, whatever the repository's own attributes ask for. */
export const plainAttributes = '* -text -eol -ident -filter -working-tree-encoding\n';

/**
 * True for a branch, a tag, or a full commit id, and nothing that git would read as an option or as more than one:
 * https://git-scm.com/docs/git-check-ref-format
 */
export function isPlainRef(ref: string): boolean {
  return (
    ref.length > 0 &&
    ref.length <= 255 &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: git forbids these
    !/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[-+/.@]|[/.]$|\.lock(\/|$)/.test(ref)
  );
}

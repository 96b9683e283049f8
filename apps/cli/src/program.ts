import type { DocumentState } from '@semantic-memory/shared/contracts/model/document';
import type { Filter } from '@semantic-memory/shared/contracts/model/filter';
import type { Metadata, Priority } from '@semantic-memory/shared/contracts/model/ids';
import type { SearchMode } from '@semantic-memory/shared/contracts/model/search';
import { Command, CommanderError, Option } from 'commander';
import { runDeadLetters, runQueues, runReconcile, runReindex, runRetryDeadLetters } from './admin-command.ts';
import { runAsk } from './ask-command.ts';
import { connect, type GlobalOptions } from './connect.ts';
import { runDoctor } from './doctor-command.ts';
import { runDelete, runList, runShow, runText } from './documents-command.ts';
import { runDryRun } from './dry-run-command.ts';
import { explain } from './explain.ts';
import { runIngest } from './ingest-command.ts';
import type { Io } from './io.ts';
import { parseCount, parseJson, parseNumber, present } from './option-values.ts';
import { runSearch } from './search-command.ts';
import { runJobStatus, runStatus } from './status-command.ts';
import { allScopes, makeToken, parseDuration } from './token.ts';
import { runExport, runImport } from './transfer-command.ts';

/**
 * Runs one command line, without the program's own name.
 *
 * @returns the exit status: 0 only when all succeeded, 130 after Ctrl-C, else 1.
 */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let status = 0;
  const program = createProgram(io, () => {
    status = 1;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (thrown) {
    // Help and usage faults have been printed already.
    if (thrown instanceof CommanderError) return thrown.exitCode;
    if (io.signal.aborted) {
      io.err('Stopped. What was accepted goes on in the service.\n');
      return 130;
    }
    explain(thrown, io);
    return 1;
  }
}

function createProgram(io: Io, fail: () => void): Command {
  const program = new Command('semantic-memory')
    .description('Turns documents into memory that can be searched and quoted.')
    .option('--url <url>', 'address of the service (SEMANTIC_MEMORY_URL, else PORT or 8080 of this machine)')
    .option('--token <jwt>', 'token (SEMANTIC_MEMORY_TOKEN, else made from JWT_SECRET or DATA_DIR)')
    .option('--json', 'print JSON')
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err });
  addIngest(program, io, fail);
  addStatus(program, io, fail);
  addDoctor(program, io, fail);
  addSearch(program, io);
  addAsk(program, io);
  addDocuments(program, io);
  addTransfer(program, io, fail);
  addAdmin(program, io, fail);
  addToken(program, io);
  return program;
}

function addIngest(program: Command, io: Io, fail: () => void): void {
  program
    .command('ingest <path...>')
    .description(
      'ingest files, folders, web addresses, git repositories (….git) and buckets (s3://bucket/key, s3://bucket/prefix/)',
    )
    .option('-n, --namespace <name>')
    .option('--id <documentId>', 'for one document; given again, it replaces')
    .option('--ids-from-path', 'the path below the folder becomes the id, so that ingesting again replaces')
    .option('--title <title>')
    .option('--metadata <json>', 'such as {"team":"research"}', parseJson)
    .addOption(new Option('--priority <priority>').choices(['low', 'normal', 'high']))
    .option('-c, --concurrency <n>', 'documents at a time', parseCount, 8)
    .option('--no-wait', 'do not wait for the jobs to end')
    .option('--dry-run', 'say what ingesting would come to, and store nothing')
    .action(async (paths: string[], _, command: Command) => {
      const options = command.optsWithGlobals<
        GlobalOptions & {
          namespace?: string;
          id?: string;
          idsFromPath?: boolean;
          title?: string;
          metadata?: Metadata;
          priority?: Priority;
          concurrency: number;
          wait: boolean;
          dryRun?: boolean;
        }
      >();
      const { namespace, id: documentId, title, metadata, priority, concurrency, wait } = options;
      const client = await connect(io, options);
      const fields = present({ namespace, documentId, title, metadata, priority });
      const json = options.json === true;
      const good = options.dryRun
        ? await runDryRun(client, io, paths, { fields, concurrency, json })
        : await runIngest(client, io, paths, {
            ...{ fields, concurrency, wait, json },
            idsFromPath: options.idsFromPath === true,
          });
      if (!good) fail();
    });
}

function addStatus(program: Command, io: Io, fail: () => void): void {
  program
    .command('status [jobId]')
    .description('how the service is, or how a job stands')
    .option('-w, --wait', 'wait for the end of the job')
    .action(async (jobId: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { wait?: boolean }>();
      const client = await connect(io, options);
      const json = options.json === true;
      const good = jobId
        ? await runJobStatus(client, io, jobId, options.wait === true, json)
        : await runStatus(client, io, json);
      if (!good) fail();
    });
}

function addDoctor(program: Command, io: Io, fail: () => void): void {
  program
    .command('doctor')
    .description('find out what is wrong: service, what it stands on, token, stores and queues')
    .action(async (_, command: Command) => {
      if (!(await runDoctor(io, command.optsWithGlobals<GlobalOptions>()))) fail();
    });
}

function addSearch(program: Command, io: Io): void {
  program
    .command('search <query...>')
    .description('find passages')
    .option('-n, --namespace <name>')
    .option('-k, --top-k <n>', 'how many', parseCount, 5)
    .addOption(new Option('--mode <mode>').choices(['hybrid', 'dense', 'lexical']))
    .option('--filter <json>', 'such as {"year":{"$gte":2025}}', parseJson)
    .option('--min-score <cosine>', 'lower bound of similarity', parseNumber)
    .option('--per-document <n>', 'so many of one document at most', parseCount)
    .option('--diversity <share>', 'from 0 to 1: fewer that say the same', parseNumber)
    .option('--half-life <days>', 'the score halves with so much of age', parseNumber)
    .option('--neighbours <n>', 'with so many chunks before and after', parseCount)
    .option('--as-of <time>', 'among what was active then (ISO-8601)')
    .option('--rerank', 'look at the best once more, also in a mode that does not')
    .option('--no-rerank', 'keep the order of the first look')
    .option('--explain', 'say why each is there (with --json)')
    .action(async (words: string[], _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & SearchOptions>();
      const { topK, halfLife, json, url: _url, token: _token, ...others } = options;
      const recency = halfLife === undefined ? undefined : { halfLifeDays: halfLife };
      const request = { query: words.join(' '), topK, ...present({ ...others, recency }) };
      await runSearch(await connect(io, options), io, request, json === true);
    });
}

interface SearchOptions {
  readonly namespace?: string;
  readonly topK: number;
  readonly mode?: SearchMode;
  readonly filter?: Filter;
  readonly minScore?: number;
  readonly perDocument?: number;
  readonly diversity?: number;
  readonly halfLife?: number;
  readonly neighbours?: number;
  readonly asOf?: string;
  readonly rerank?: boolean;
  readonly explain?: boolean;
}

function addAsk(program: Command, io: Io): void {
  program
    .command('ask <question...>')
    .description('answer from the documents, with citations')
    .option('-n, --namespace <name>')
    .option('-k, --top-k <n>', 'passages to answer from', parseCount)
    .option('--filter <json>', 'as in search', parseJson)
    .option('--model <name>', 'language model')
    .action(async (words: string[], _, command: Command) => {
      const options = command.optsWithGlobals<
        GlobalOptions & { namespace?: string; topK?: number; filter?: Filter; model?: string }
      >();
      const { namespace, topK, filter, model } = options;
      const request = { question: words.join(' '), ...present({ namespace, topK, filter, model }) };
      await runAsk(await connect(io, options), io, request, options.json === true);
    });
}

function addDocuments(program: Command, io: Io): void {
  const documents = program
    .command('documents')
    .description('list documents, newest first')
    .option('-n, --namespace <name>')
    .addOption(new Option('--state <state>').choices(['pending', 'active', 'failed']))
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { namespace?: string; state?: DocumentState }>();
      const query = { namespace: options.namespace, state: options.state };
      await runList(await connect(io, options), io, query, options.json === true);
    });
  const add = (name: string, description: string, run: typeof runShow) =>
    documents
      .command(`${name} <documentId>`)
      .description(description)
      .action(async (id: string, _, command: Command) => {
        const options = command.optsWithGlobals<GlobalOptions>();
        await run(await connect(io, options), io, id, options.json === true);
      });
  add('show', 'all that is known about one', runShow);
  add('text', 'its text as extracted', runText);
  add('delete', 'remove it from every store', runDelete);
}

function addAdmin(program: Command, io: Io, fail: () => void): void {
  const admin = program.command('admin').description('look after the service; needs memory:admin');
  const settings = async (command: Command) => {
    const options = command.optsWithGlobals<GlobalOptions>();
    return { client: await connect(io, options), json: options.json === true };
  };
  admin
    .command('queues')
    .description('what waits in each tier')
    .action(async (_, command: Command) => {
      const { client, json } = await settings(command);
      await runQueues(client, io, json);
    });
  admin
    .command('dead-letters')
    .description('jobs that failed by a fault of the service')
    .action(async (_, command: Command) => {
      const { client, json } = await settings(command);
      await runDeadLetters(client, io, json);
    });
  admin
    .command('retry <jobId...>')
    .description('run dead letters again')
    .action(async (ids: string[], _, command: Command) => {
      const { client, json } = await settings(command);
      await runRetryDeadLetters(client, io, ids, json);
    });
  admin
    .command('reconcile')
    .description('compare the stores and repair')
    .action(async (_, command: Command) => {
      const { client, json } = await settings(command);
      await runReconcile(client, io, json);
    });
  admin
    .command('reindex <model>')
    .description('give a namespace another embedding model, unless it finds worse')
    .option('-n, --namespace <name>')
    .option('--force', 'switch whatever the comparison says; also the way back', false)
    .option('--judged <file>', 'JSON with queries to compare by: [{query, relevant: [documentId, ...]}, ...]')
    .option('--no-wait', 'do not wait for the job to end')
    .action(async (model: string, _, command: Command) => {
      const { client, json } = await settings(command);
      const options = command.opts<{ namespace?: string; force: boolean; judged?: string; wait: boolean }>();
      const { namespace, judged: judgedFile, force, wait } = options;
      const good = await runReindex(client, io, model, { ...present({ namespace, judgedFile }), force, wait, json });
      if (!good) fail();
    });
}

function addTransfer(program: Command, io: Io, fail: () => void): void {
  program
    .command('export')
    .description('write a namespace, with its vectors, to a tar; needs memory:admin')
    .option('-n, --namespace <name>')
    .requiredOption('-o, --output <file>')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { namespace?: string; output: string }>();
      const { namespace, output } = options;
      await runExport(await connect(io, options), io, {
        ...present({ namespace }),
        output,
        json: options.json === true,
      });
    });
  program
    .command('import <file>')
    .description('take in a tar that export wrote; nothing is embedded; needs memory:admin')
    .option('-n, --namespace <name>', 'where it goes; the exported one unless given')
    .option('--no-wait', 'do not wait for the job to end')
    .action(async (file: string, _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { namespace?: string; wait: boolean }>();
      const { namespace, wait } = options;
      const json = options.json === true;
      const good = await runImport(await connect(io, options), io, file, { ...present({ namespace }), wait, json });
      if (!good) fail();
    });
}

function addToken(program: Command, io: Io): void {
  program
    .command('token')
    .description('make a token with JWT_SECRET, or with the secret kept in DATA_DIR')
    .option('--tenant <name>', 'whose memory', 'demo')
    .option('--subject <name>', 'who asks', 'cli')
    .option('--scope <scopes>', 'separated by spaces', allScopes)
    .addOption(
      new Option('--expires <time>', 'such as 15m, 12h, 30d')
        .argParser(parseDuration)
        .default(parseDuration('30d'), '30d'),
    )
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<
        GlobalOptions & { tenant: string; subject: string; scope: string; expires: number }
      >();
      const { tenant, subject, scope, expires: expiresInSeconds } = options;
      const token = await makeToken(io.env, { tenant, subject, scope, expiresInSeconds });
      io.out(options.json ? `${JSON.stringify({ token, tenant, scope, expiresInSeconds })}\n` : `${token}\n`);
    });
}

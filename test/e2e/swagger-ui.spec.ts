import { type Browser, chromium, type Page, type Response } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureDebianPackages } from '../../scripts/debian-packages.ts';
import { labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { type Installation, startInstallation } from './installation.ts';

const CHROMIUM = '/usr/bin/chromium';
/** As in a home network: plain HTTP, and a name that browsers trust less than this machine's own. */
const HOST = 'pi-head';
const CHROMIUM_ARGUMENTS = [
  `--host-resolver-rules=MAP ${HOST} 127.0.0.1`,
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
];

let lab: SlurmLab;
let bramble: Installation;
let browser: Browser;
let page: Page;
let origin: string;
/** What the browser complains about: errors of scripts, and what the content security policy keeps from the page. */
let complaints: string[];
let requested: URL[];

beforeAll(async () => {
  await ensureDebianPackages('browser', console.log);
  lab = await labUp();
  bramble = await startInstallation(lab);
  origin = bramble.apiUrl.replace('127.0.0.1', HOST);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGUMENTS });
});
afterAll(async () => {
  await browser.close();
  await bramble.stop();
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  complaints = [];
  requested = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  page.on('request', (request) => requested.push(new URL(request.url())));
  await page.goto(`${origin}/docs`);
  await page.getByRole('heading', { name: 'Bramble' }).waitFor();
});
afterEach(() => page.close());

const submission = () => page.locator('.opblock', { has: page.getByText('Submit a job', { exact: true }) });

async function authorize(key: string): Promise<void> {
  await page.getByRole('button', { name: 'Authorize' }).first().click();
  const dialog = page.locator('.dialog-ux');
  await dialog.locator('input').fill(key);
  await dialog.getByRole('button', { name: 'Apply credentials' }).click();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await dialog.waitFor({ state: 'detached' });
}

/** Presses Execute, and answers what the API said and what the page shows of it. */
async function execute(): Promise<{ response: Response; shown: string }> {
  const [response] = await Promise.all([
    page.waitForResponse((answer) => new URL(answer.url()).pathname === '/v1/jobs'),
    submission().getByRole('button', { name: 'Execute' }).click(),
  ]);
  const live = submission().locator('.live-responses-table .response').first();
  await live.locator('.microlight').first().waitFor();
  return { response, shown: await live.innerText() };
}

describe('Swagger UI', () => {
  it('shows every route, and loads nothing from another host', async () => {
    const document = (await (await fetch(`${bramble.apiUrl}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { summary: string }>>;
    };
    const summaries = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ summary }) => summary),
    );
    expect((await page.locator('.opblock-summary-description').allInnerTexts()).sort()).toEqual(
      summaries.sort(),
    );
    expect(await page.title()).toBe('Bramble API');
    await page.waitForLoadState('networkidle');
    const elsewhere = requested.filter((url) => url.protocol !== 'data:' && url.origin !== origin);
    expect(elsewhere.map(String)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('runs the MPI example with a key, and the job completes on all nodes', async () => {
    await authorize(bramble.adminKey);
    await submission().locator('.opblock-summary-control').click();
    await submission().locator('.examples-select select').first().selectOption('mpi');
    const body = submission().locator('textarea.body-param__text');
    expect(await body.inputValue()).toContain('MPI_Init');
    const { response, shown } = await execute();
    expect(response.status()).toBe(202);
    const { id } = (await response.json()) as { id: string };
    expect(shown).toContain('202');
    expect(shown).toContain(id);

    const job = await bramble.admin.jobs.get(id);
    await job.wait();
    const log = await job.logText();
    expect([...new Set(log.match(/node0\d/g))].sort()).toEqual(lab.nodes);
    expect(job.data.outputs).toMatchObject([{ path: 'pi.csv' }]);
    expect(complaints).toEqual([]);
  });

  it('remembers the key when the page is loaded again', async () => {
    await authorize(bramble.adminKey);
    await page.reload();
    await submission().locator('.opblock-summary-control').click();
    await submission().locator('.examples-select select').first().selectOption('command');
    const { response } = await execute();
    expect(response.status()).toBe(202);
  });

  it('without a key shows what is missing', async () => {
    await submission().locator('.opblock-summary-control').click();
    const { response, shown } = await execute();
    expect(response.status()).toBe(401);
    expect(shown).toContain('"code": "unauthenticated"');
  });
});

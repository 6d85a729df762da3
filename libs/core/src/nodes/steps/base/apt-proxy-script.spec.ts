import { execFile, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { aptProxyScript } from './apt-proxy-script.ts';

describe('the script that finds the package proxy', () => {
  it('quotes what it is given', () => {
    const script = aptProxyScript("http://us'er:$(id)@cache.lab:3142/");
    expect(script).toContain(`'cache.lab' '3142'`);
    expect(script).toContain(`echo 'http://us'\\''er:$(id)@cache.lab:3142/'`);
    expect(aptProxyScript('http://cache.lab')).toContain(`'cache.lab' '80'`);
    expect(aptProxyScript('http://[fd00::1]:3142')).toContain(`'fd00::1' '3142'`);
  });

  it('is a program of sh', () => {
    const { status, stderr } = spawnSync('sh', ['-n'], {
      input: aptProxyScript("http://a'b:1"),
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('names the proxy where it answers', async () => {
    const server = createServer((connection) => {
      connection.on('error', () => undefined);
      connection.once('data', () => connection.end('HTTP/1.0 406 Not a proxy request\r\n\r\n'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const { stdout } = await promisify(execFile)('sh', ['-c', aptProxyScript(url)]);
    server.close();
    expect(stdout).toBe(`${url}\n`);
  });

  it('names another one, or none, where nobody is there', async () => {
    const { stdout } = await promisify(execFile)('sh', ['-c', aptProxyScript('http://127.0.0.1:1')]);
    expect(stdout).not.toContain('127.0.0.1:1');
  });
});

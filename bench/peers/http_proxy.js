// Node http-proxy as its README has it: one process, upstream connections kept alive.
const fs = require('fs');
const http = require('http');
const https = require('https');
const httpProxy = require('http-proxy');

const [port, target, caFile, token, logFile] = process.argv.slice(2);

const log = fs.createWriteStream(logFile, { flags: 'a' });
const proxy = httpProxy.createProxyServer({
  target,
  changeOrigin: true,
  agent: new https.Agent({ keepAlive: true, maxSockets: 256, ca: fs.readFileSync(caFile) }),
  // The second keeps a client's `Connection: close` from ending upstream connections.
  headers: { authorization: `Bearer ${token}`, connection: 'keep-alive' },
});
// Or the upstream's `keep-alive` would go to clients that asked for `close`.
proxy.on('proxyRes', (answer) => { delete answer.headers.connection; });
proxy.on('error', (error, request, response) => response.writeHead?.(502).end());

http
  .createServer((request, response) => {
    const started = Date.now();
    response.on('finish', () =>
      log.write(`${new Date().toISOString()} ${request.method} ${request.url} ` +
        `${response.statusCode} ${Date.now() - started}\n`));
    proxy.web(request, response);
  })
  .listen({ port: Number(port), host: '127.0.0.1', backlog: 8192 });

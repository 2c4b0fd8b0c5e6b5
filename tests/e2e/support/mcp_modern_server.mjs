// An MCP server of the modern era (2026-07-28), made with the official SDK. `stdio` or `http`; over HTTP the first line of stdout
// is the port. `legacy` as second argument: the other era is served too, else it is refused.
import { createServer } from 'node:http';
import { createMcpHandler, fromJsonSchema, inputRequired, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

const [way, second] = process.argv.slice(2);
const legacy = second === 'legacy';
const schema = (properties, required = []) => fromJsonSchema({ type: 'object', properties, required });
const said = (text) => ({ content: [{ type: 'text', text }] });

function factory() {
  const server = new McpServer({ name: 'modern', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } });
  const none = schema({});
  server.registerTool('echo', { description: 'Says it again', annotations: { readOnlyHint: true },
    inputSchema: schema({ text: { type: 'string' } }, ['text']) }, ({ text }) => said(text));
  server.registerTool('region', { description: 'Wants its argument in a header too', annotations: { readOnlyHint: true },
    inputSchema: schema({ name: { type: 'string', 'x-mcp-header': 'Region' } }, ['name']) }, ({ name }) => said('region ' + name));
  server.registerTool('ask', { description: 'Asks a person', inputSchema: none }, (_, ctx) => {
    const answer = ctx.mcpReq.inputResponses?.color;
    if (!answer) {
      return inputRequired({ inputRequests: { color: inputRequired.elicit({ message: 'Which color?', requestedSchema:
        { type: 'object', properties: { color: { type: 'string' } }, required: ['color'] } }) } });
    }
    return said(JSON.stringify(answer));
  });
  server.registerTool('count', { description: 'Counts', annotations: { readOnlyHint: true },
    inputSchema: schema({ to: { type: 'integer' } }, ['to']) }, async ({ to }, ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (let i = 1; i <= to; ++i) {
      await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: i, total: to } });
    }
    return said('counted');
  });
  server.registerTool('wait', { description: 'Ends when it is cancelled', inputSchema: none }, (_, ctx) =>
    new Promise((resolve) => ctx.mcpReq.signal.addEventListener('abort', () => {
      process.stderr.write('wait was cancelled\n');
      resolve(said('cancelled'));
    })));
  server.registerTool('grow', { description: 'Adds a tool', annotations: { destructiveHint: false }, inputSchema: none }, () => {
    grown = true;
    if (handler) handler.notify.toolsChanged();
    else server.registerTool('grown', { inputSchema: none, annotations: { readOnlyHint: true } }, () => said('I am new'));
    return said('grown');
  });
  if (grown) server.registerTool('grown', { inputSchema: none, annotations: { readOnlyHint: true } }, () => said('I am new'));
  return server;
}

let grown = false;
let handler;
if (way === 'stdio') {
  serveStdio(factory, { legacy: legacy ? 'serve' : 'reject' });
} else {
  handler = createMcpHandler(factory, { legacy: legacy ? 'stateless' : 'reject' });
  const serve = async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const answer = await handler.fetch(new Request(`http://127.0.0.1${request.url}`, {
      method: request.method, headers: request.headers, signal: gone.signal,
      body: ['GET', 'HEAD', 'DELETE'].includes(request.method) ? undefined : Buffer.concat(chunks) }));
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (answer.body) for await (const chunk of answer.body) response.write(chunk);
    response.end();
  };
  // Who goes away in the middle of a request, or is too slow for one, ends that alone.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => serve(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}

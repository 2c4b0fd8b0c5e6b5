// The npm packages of package.json. Without them nothing here can run: that is a failure with its remedy, never a skip.
async function load(name) {
  try {
    return await import(name);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error(`tests/e2e: the npm package ${name} is missing; run scripts/setup --tests`, { cause: error });
  }
}

export const { WebSocket, WebSocketServer } = await load("ws");
export const loadStandardWebhooks = () => load("standardwebhooks");
export const loadAimock = () => load("@copilotkit/aimock");
export const loadOpenai = () => load("openai");
export const loadAnthropic = () => load("@anthropic-ai/sdk");
/** The official Socket.IO client: 4.x, or `socket.io-client-3`, `socket.io-client-2`. */
export const loadSocketIo = (name = "socket.io-client") => load(name);
export const loadAjv = async () => ({ Ajv2020: (await load("ajv/dist/2020.js")).default.default, addFormats: (await load("ajv-formats")).default.default });

// The OpenAPI document that a server gives, and whether an answer is as it says.
import assert from "node:assert/strict";
import { get } from "./clients.mjs";
import { loadAjv } from "./packages.mjs";

const methods = ["get", "post", "put", "patch", "delete"];

export class Contract {
  static async of(server) {
    const contract = new Contract();
    const answer = await get(server, "/api/v1/openapi.json");
    assert.equal(answer.status, 200, answer.text);
    contract.document = answer.body;
    const { Ajv2020, addFormats } = await loadAjv();
    contract.ajv = new Ajv2020({ strict: false, validateSchema: false });
    addFormats(contract.ajv);
    contract.ajv.addSchema(answer.body, "openapi");
    return contract;
  }

  /** Every {path, method, is}; method in upper case, `is` the operation. */
  operations() {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      methods.filter((method) => method in item).map((method) => ({ path, method: method.toUpperCase(), is: item[method] })));
  }

  /** A part of the document, without its reference. */
  resolved(part) {
    if (!part?.$ref) return part;
    return part.$ref.slice(2).split("/").reduce((at, key) => at[key.replaceAll("~1", "/").replaceAll("~0", "~")], this.document);
  }

  parametersOf(operation) {
    return (operation.is.parameters ?? []).map((parameter) => this.resolved(parameter));
  }

  /** Fails unless `value` is as the component `name` says. */
  checkComponent(name, value) {
    this.#validate(`openapi#/components/schemas/${name}`, value, name);
  }

  checkBody(operation, value) {
    this.#validate(`openapi#/paths/${pointer(operation)}/requestBody/content/application~1json/schema`, value, name(operation));
  }

  /** Fails unless status, type and body are among those that the operation gives. */
  checkAnswer(operation, answer, what = "") {
    const where = `${name(operation)} ${what} → ${answer.status} ${answer.text.slice(0, 600)}`;
    const key = String(answer.status) in operation.is.responses ? String(answer.status) : "default";
    // A success is never one of the others.
    assert.ok(key !== "default" || answer.status >= 400, `not described: ${where}`);
    const written = operation.is.responses[key];
    const { content } = this.resolved(written);
    const type = (answer.headers["content-type"] ?? "").split(";")[0];
    if (!content) return assert.equal(answer.text, "", where);
    const described = [type, "*/*"].find((known) => known in content);
    assert.ok(described, `the type ${type} is not described: ${where}`);
    if (type !== "application/json" || described !== type) return;
    const base = written.$ref ? `openapi${written.$ref}` : `openapi#/paths/${pointer(operation)}/responses/${key}`;
    this.#validate(`${base}/content/application~1json/schema`, answer.body, where);
  }

  #validate(reference, value, where) {
    const validate = this.ajv.getSchema(reference);
    assert.ok(validate, `no schema at ${reference}`);
    if (!validate(value)) assert.fail(`${where}\n${this.ajv.errorsText(validate.errors, { separator: "\n" })}\n${reference}`);
  }
}

export const name = ({ method, path }) => `${method} ${path}`;
const pointer = ({ method, path }) => `${path.replaceAll("~", "~0").replaceAll("/", "~1")}/${method.toLowerCase()}`;

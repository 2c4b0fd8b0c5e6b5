// The console's chat, as a person uses it: what is written, what is seen, and waiting for it.
import { Tab } from "./browser.mjs";

export class ChatTab {
  /** On a new conversation, or on the one with this id. */
  static async open(browser, server, options = {}) {
    const chat = new ChatTab();
    chat.tab = await Tab.open(browser, server, options);
    chat.page = chat.tab.page;
    await chat.tab.go(options.sessionId ? `/chat/${options.sessionId}` : "/chat");
    await (options.token === undefined && options.signIn ? chat.page.locator("input[name=token]") : chat.field).waitFor();
    return chat;
  }
  get field() {
    return this.page.locator(".composer__text");
  }
  get answers() {
    return this.page.locator(".message--answer");
  }
  get users() {
    return this.page.locator(".message--user");
  }
  get card() {
    return this.page.locator(".approval[data-approval=pending]");
  }
  tool(name) {
    return this.page.locator(`.tool[data-tool="${name}"]`);
  }
  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }
  get sessionId() {
    return new URL(this.page.url()).hash.split("/")[2];
  }

  async say(text) {
    await this.field.fill(text);
    await this.field.press("Enter");
  }
  /** The newest answer once it has this status, and is none of the run `before`. Only what is near the screen is in the document. */
  async answered(status = "completed", before = null) {
    const run = await this.page.waitForFunction(
      ([wanted, other]) => {
        const last = [...document.querySelectorAll(".message--answer")].at(-1);
        return last?.dataset.status === wanted && last.dataset.run !== other && last.dataset.run;
      },
      [status, before],
    );
    return this.page.locator(`.message--answer[data-run="${await run.jsonValue()}"]`);
  }
  async lastRun() {
    return (await this.answers.count()) > 0 ? this.answers.last().getAttribute("data-run") : null;
  }
  async ask(text, status = "completed") {
    const before = await this.lastRun();
    await this.say(text);
    return this.answered(status, before);
  }
  /** Waits until these are the messages of people, in this order. */
  async shows(texts) {
    const same = (wanted) => JSON.stringify([...document.querySelectorAll(".bubble__text")].map((e) => e.innerText)) === JSON.stringify(wanted);
    await this.page.waitForFunction(same, texts).catch(async (error) => {
      error.message += ` Shown: ${await this.page.locator(".bubble__text").allInnerTexts()}`;
      throw error;
    });
  }
  connected() {
    return this.page.locator("[data-connection=open]").waitFor();
  }
  async menu(item) {
    await this.button("More").click();
    await this.button(item).click();
  }
  /** Waits until the address names another conversation than `before`. */
  async elsewhere(before) {
    await this.page.locator(`.conversation[data-session]:not([data-session="${before}"])`).waitFor();
    await this.connected();
    return this.sessionId;
  }
  close() {
    return this.tab.close();
  }
}

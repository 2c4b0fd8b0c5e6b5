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
  /** The newest answer once it has this status. */
  async answered(status = "completed", nth) {
    const wanted = this.page.locator(`.message--answer[data-status="${status}"]`);
    const one = nth === undefined ? wanted.last() : wanted.nth(nth);
    await one.waitFor();
    return one;
  }
  async ask(text, status = "completed") {
    const before = await this.answers.count();
    await this.say(text);
    const answer = this.answers.nth(before);
    await this.page.locator(`.message--answer >> nth=${before}`).waitFor();
    await this.page.waitForFunction(
      ([at, wanted]) => document.querySelectorAll(".message--answer")[at]?.getAttribute("data-status") === wanted,
      [before, status],
    );
    return answer;
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
    await this.page.waitForFunction((id) => /^#\/chat\/[^/]+$/.test(location.hash) && !location.hash.includes(id), before);
    await this.connected();
    return this.sessionId;
  }
  close() {
    return this.tab.close();
  }
}

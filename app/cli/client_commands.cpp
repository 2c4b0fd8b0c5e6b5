#include "app/cli/client_commands.hpp"

#include "app/cli/chat.hpp"
#include "app/cli/command_tree.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/lifetime.hpp"
#include "app/cli/terminal.hpp"
#include "app/scenario/rest_client.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>

#include <memory>

namespace troupe::app {

namespace {

constexpr const char* talking = "Talk to a running server";
constexpr const char* operating = "Look after it";

std::string check_url(const std::string& text) {
  return base_url(text) ? std::string() : "`" + text + "` must be http://HOST:PORT or https://HOST:PORT";
}

void add_remote(CLI::App* command, connection_options& options) {
  command->add_option("--url", options.url, "The server, http:// or https://")
      ->type_name("URL")
      ->envname("TROUPE_URL")
      ->check(check_url)
      ->capture_default_str();
  command
      ->add_option("--ca-file", options.ca_file, "Trust the authorities in this file (PEM) for https, not those of the system")
      ->type_name("FILE")
      ->envname("TROUPE_CA_FILE")
      ->check(CLI::ExistingFile);
  command->add_option("--token", options.token, "Token or API key; better in the environment, where `ps` does not show it")
      ->envname("TROUPE_TOKEN");
}

void add_json(CLI::App* command, bool& json, const char* what = "Print JSON") { command->add_flag("--json", json, what); }

void add_limit(CLI::App* command, std::int64_t& limit) {
  command->add_option("--limit", limit, "At most so many")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
}

std::string check_object(const std::string& text) {
  boost::system::error_code failure;
  auto value = boost::json::parse(text, failure);
  return !failure && value.is_object() ? std::string() : "must be a JSON object, for example '{\"path\": \"notes/demo.txt\"}'";
}

std::string check_lifetime(const std::string& text) {
  return lifetime_from(text) ? std::string() : "must be a number and s, m, h or d, for example 8h";
}

}  // namespace

client_commands::client_commands(CLI::App& cli) {
  add_reading(cli);
  add_approvals(cli);
  add_operating(cli);
  add_documents(cli);
}

std::optional<int> client_commands::run() const {
  for (const auto& [command, work] : commands_)
    if (command->parsed()) return work();
  return std::nullopt;
}

void client_commands::add_reading(CLI::App& cli) {
  auto add = [&]<class Options>(const char* name, const char* says, int (*work)(const Options&), const char* examples) {
    auto options = std::make_shared<Options>();
    auto* command = cli.add_subcommand(name, says)->group(talking);
    command->footer(examples);
    add_remote(command, *options);
    commands_.emplace_back(command, [options, work] { return work(*options); });
    return std::pair{command, options};
  };

  {
    auto [command, o] =
        add("chat", "Talk with an agent", chat,
            "Examples:\n"
            "  troupe chat                                   with the default agent of the first project\n"
            "  troupe chat --agent guide \"what time is it?\"  one question, its answer on stdout\n"
            "  troupe chat --session ID                      goes on where you left\n"
            "  git diff | troupe chat -                      all of stdin is one message\n"
            "  troupe chat < questions.txt                   a message a line, each after the answer before it\n"
            "  troupe chat --url https://agents.example      over TLS\n"
            "Keys in a terminal: arrows and Home, End, Ctrl-A, E, U, K, W move and delete; the arrow up brings back what was\n"
            "said; Alt-Enter begins a line, and a paste of several lines is one message.\n"
            "Ctrl-C stops an answer, twice leaves. Questions of tools are asked in the terminal; in a pipe they end\n"
            "it with status 1 and say which command decides.");
    command->add_option("message", o->message, "One message; `-` reads it from stdin")->type_name("TEXT");
    auto* project = command->add_option("--project", o->project, "Its project; the server's first by default")->type_name("ID");
    auto* agent = command->add_option("--agent", o->agent, "The agent; the project's default by default")->type_name("ID");
    command->add_option("--session", o->session, "Goes on with this session")
        ->type_name("ID")
        ->excludes(project)
        ->excludes(agent);
    add_json(command, o->json, "Print the events, one a line");
  }
  {
    auto [command, o] = add("sessions", "List sessions, last used first, or search them", show_sessions,
                            "Examples:\n"
                            "  troupe sessions\n"
                            "  troupe sessions --search invoice --limit 5\n"
                            "  troupe sessions --json | jq -r '.items[].id'");
    command->add_option("--search", o->search, "Words in titles and messages")->type_name("WORDS");
    command->add_option("--project", o->project, "Only of this project")->type_name("ID");
    command->add_option("--status", o->status, "active, paused or closed")
        ->check(CLI::IsMember({"active", "paused", "closed"}));
    add_limit(command, o->limit);
    add_json(command, o->json);
  }
  {
    auto [command, o] = add("history", "Show the messages of a session", show_history,
                            "Examples:\n"
                            "  troupe history 01a1fe4f-b1eb-701f-9e9c-75d2adcadacf\n"
                            "  troupe history ID --json | jq -r '.items[] | select(.role == \"assistant\").content'");
    command->add_option("session", o->session, "Its id, or the id a client knows it by")->required()->type_name("SESSION");
    add_limit(command, o->limit);
    add_json(command, o->json);
  }
  {
    auto [command, o] = add("events", "Show the log of a session, or follow it", show_events,
                            "Examples:\n"
                            "  troupe events SESSION\n"
                            "  troupe events SESSION --follow --json | jq -c 'select(.type == \"message.tool_start\")'\n"
                            "  troupe events SESSION --after 120");
    command->add_option("session", o->session, "Its id, or the id a client knows it by")->required()->type_name("SESSION");
    command->add_option("--after", o->after, "Only what came after this seq")
        ->type_name("SEQ")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    auto* follow =
        command->add_flag("--follow,-f", o->follow, "Go on with what happens, until Ctrl-C; over restarts of the server too");
    add_limit(command, o->limit);
    command->get_option("--limit")->excludes(follow);
    add_json(command, o->json, "Print JSON, one event a line");
  }
  {
    auto [command, o] = add("trace", "Show runs, or one run with its model calls, tool calls and waits", show_trace,
                            "Examples:\n"
                            "  troupe trace                     the latest runs of a project\n"
                            "  troupe trace --session SESSION   those of a session\n"
                            "  troupe trace 1cf54987f9df40407424b25eade98525");
    auto* trace = command->add_option("trace", o->trace, "Its id; without it, the list")->type_name("TRACE");
    auto* session = command->add_option("--session", o->session, "Runs of this session")->type_name("ID")->excludes(trace);
    command->add_option("--project", o->project, "Runs of this project; the server's first by default")
        ->type_name("ID")
        ->excludes(trace)
        ->excludes(session);
    add_limit(command, o->limit);
    add_json(command, o->json);
  }
  {
    auto [command, o] = add("spend", "Show what a project has spent (with auth on: scope admin)", show_spend,
                            "Examples:\n"
                            "  troupe spend\n"
                            "  troupe spend --period week --by agent\n"
                            "  troupe spend --by user --json | jq .totalCost");
    command->add_option("--project", o->project, "The project; the server's first by default")->type_name("ID");
    command->add_option("--period", o->period, "day, week (7 days) or month (30 days), UTC")
        ->check(CLI::IsMember({"day", "week", "month"}))
        ->capture_default_str();
    command->add_option("--by", o->by, "day, agent, model, session or user")
        ->check(CLI::IsMember({"day", "agent", "model", "session", "user"}))
        ->capture_default_str();
    add_json(command, o->json);
  }
}

void client_commands::add_approvals(CLI::App& cli) {
  auto* group =
      cli.add_subcommand("approvals", "List and decide what waits for a person")->group(talking)->require_subcommand(1);
  group->footer(
      "Examples:\n"
      "  troupe approvals list\n"
      "  troupe approvals decide ID --approve --note \"go ahead\"\n"
      "  troupe approvals decide ID --approve --remember session --for 8h\n"
      "  troupe approvals remembered");
  auto add = [&]<class Options>(const char* name, const char* says, int (*work)(const Options&), const char* examples) {
    auto options = std::make_shared<Options>();
    auto* command = group->add_subcommand(name, says)->group("Commands");
    command->footer(examples);
    add_remote(command, *options);
    add_json(command, options->json);
    commands_.emplace_back(command, [options, work] { return work(*options); });
    return std::pair{command, options};
  };

  {
    auto [command, o] = add("list", "What waits, newest first", list_approvals,
                            "Examples:\n  troupe approvals list\n  troupe approvals list --status denied --limit 100");
    command->add_option("--status", o->status, "pending (the default), approved, denied, expired or all")
        ->check(CLI::IsMember({"pending", "approved", "denied", "expired", "all"}));
    command->add_option("--session", o->session, "Only of this session")->type_name("ID");
    command->add_option("--project", o->project, "Only of this project")->type_name("ID");
    command->add_option("--kind", o->kind, "tool, outcome_unknown or input")
        ->check(CLI::IsMember({"tool", "outcome_unknown", "input"}));
    add_limit(command, o->limit);
  }
  {
    auto [command, o] = add("decide", "Approve or deny; the first decision wins", decide_approvals,
                            "Examples:\n"
                            "  troupe approvals decide ID --deny --note \"not on a Friday\"\n"
                            "  troupe approvals decide ID --approve --arguments '{\"path\": \"notes/old.txt\"}'\n"
                            "  troupe approvals decide ID --choice done          a call whose outcome is not known\n"
                            "  troupe approvals decide ID --answer '{\"city\": \"Cádiz\"}'  a question of a tool\n"
                            "  troupe approvals decide ID1 ID2 ID3 --approve");
    command->add_option("id", o->ids, "The approval, or several")->required()->type_name("ID…");
    auto* how = command->add_option_group("decision", "One of")->require_option(1);
    auto* approve = how->add_flag("--approve", o->approve, "The call runs");
    how->add_flag("--deny", o->deny, "The call does not run, and the agent is told so");
    how->add_option("--choice", o->choice, "Of kind outcome_unknown: retry, done or failed")
        ->check(CLI::IsMember({"retry", "done", "failed"}));
    how->add_option("--answer", o->answer, "Of kind input: the answer")->type_name("JSON")->check(check_object);
    command->add_option("--note", o->note, "Why; the agent is told, and it is kept")->type_name("TEXT");
    command->add_option("--arguments", o->arguments, "Run it with these instead")
        ->type_name("JSON")
        ->check(check_object)
        ->needs(approve);
    auto* remember =
        command->add_option("--remember", o->remember, "Do not ask again for exactly this, in this session, agent or project")
            ->check(CLI::IsMember({"session", "agent", "project"}))
            ->needs(approve);
    command->add_option("--for", o->lifetime, "How long it is remembered; for ever by default")
        ->type_name("TIME")
        ->check(check_lifetime)
        ->needs(remember);
  }
  {
    auto [command, o] = add("remembered", "What needs no question any more", list_remembered,
                            "Examples:\n  troupe approvals remembered\n  troupe approvals remembered --all --json");
    command->add_option("--project", o->project, "Only of this project")->type_name("ID");
    command->add_flag("--all", o->all, "Also what was revoked or has expired");
    add_limit(command, o->limit);
  }
  {
    auto [command, o] =
        add("revoke", "Take a remembered approval back", revoke_remembered, "Example:\n  troupe approvals revoke ID");
    command->add_option("id", o->id, "Its id, from `troupe approvals remembered`")->required()->type_name("ID");
  }
}

void client_commands::add_operating(CLI::App& cli) {
  {
    auto o = std::make_shared<backup_options>();
    auto* command =
        cli.add_subcommand("backup", "Copy the database of a data folder, also while its server runs")->group(operating);
    command->footer(
        "Examples:\n"
        "  troupe backup --to backup/troupe.db\n"
        "  troupe backup --data /var/lib/troupe --to \"troupe-$(date +%F).db\"\n"
        "  troupe check --data backup                     verifies the copy, where it is called troupe.db\n"
        "The copy is of one moment and complete. Files that tools wrote (workspaces/) are not in it.");
    command->add_option("--to", o->to, "The file to write")->required()->type_name("FILE");
    command->add_option("--data", o->data, "Folder of the database")->type_name("DIR")->capture_default_str();
    command->add_flag("--force", o->force, "Replace the file where it exists");
    add_json(command, o->json);
    commands_.emplace_back(command, [o] { return back_up_data(*o); });
  }
  auto* token = cli.add_subcommand("token", "Make API keys for the configuration")->group(operating)->require_subcommand(1);
  token->footer(
      "Examples:\n"
      "  troupe token new --name ci --scope read\n"
      "  printf %s \"$KEY\" | troupe token hash");
  {
    auto o = std::make_shared<token_new_options>();
    auto* command = token->add_subcommand("new", "Make a key, and its entry for auth.api_keys")->group("Commands");
    command->footer("Example:\n  troupe token new --name ops --scope admin");
    command->add_option("--name", o->name, "Who uses it; its actions are recorded under this name")
        ->type_name("NAME")
        ->capture_default_str();
    command
        ->add_option("--scope", o->scopes, "What it allows: read, chat, approve, admin; may repeat; the first three by default")
        ->check(CLI::IsMember({"read", "chat", "approve", "admin"}))
        ->take_all();
    add_json(command, o->json);
    commands_.emplace_back(command, [o] { return make_token(*o); });
  }
  {
    auto o = std::make_shared<token_hash_options>();
    auto* command = token->add_subcommand("hash", "Print the SHA-256 of a key that stdin has")->group("Commands");
    command->footer("Example:\n  printf %s \"$KEY\" | troupe token hash");
    add_json(command, o->json);
    commands_.emplace_back(command, [o] { return hash_token(*o); });
  }
}

void client_commands::add_documents(CLI::App& cli) {
  auto shell = std::make_shared<std::string>();
  auto* completion =
      cli.add_subcommand("completion", "Print what a shell needs to complete commands and options")->group(operating);
  completion->footer(
      "Examples:\n"
      "  troupe completion bash > ~/.local/share/bash-completion/completions/troupe\n"
      "  troupe completion zsh > \"${fpath[1]}/_troupe\"\n"
      "  troupe completion fish > ~/.config/fish/completions/troupe.fish");
  completion->add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  commands_.emplace_back(completion, [shell, &cli] { return put(completion_script(tree_of(cli), *shell)) ? 0 : 1; });
  // For those who change commands: docs/troupe.1 is what it prints.
  auto* manual = cli.add_subcommand("manual", "Print the manual page (roff)")->group("");
  commands_.emplace_back(manual, [&cli] { return put(manual_page(tree_of(cli))) ? 0 : 1; });
}

}  // namespace troupe::app

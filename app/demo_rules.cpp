// The guide's rules: plain data, first rule that fits wins. Rules about a tool's result come first, then what a person may
// type in English or Spanish. `\b` is not used around words with accents: a byte of `ñ` is no word character.
#include "app/demo.hpp"

namespace troupe::app {

std::string_view demo_rules() noexcept {
  static constexpr std::string_view rules = R"json({
"rules": [
  { "when": { "after": "tool", "tool": "delete_file", "result": "denied|nobody approved", "user": "borra|elimina|suprime" },
    "say": [ { "stream": "De acuerdo: sin tu aprobación el fichero se queda donde está.", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "delete_file", "result": "denied|nobody approved" },
    "say": [ { "stream": "All right: without your approval the file stays where it is.", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "delete_file", "result": "^deleted", "user": "borra|elimina|suprime" },
    "say": [ { "stream": "Hecho: lo has aprobado y `notes/demo.txt` ya no existe.", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "delete_file", "result": "^deleted" },
    "say": [ { "stream": "Done: you approved it, and `notes/demo.txt` is gone.", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "delete_file", "result": "there is no", "user": "borra|elimina|suprime" },
    "say": [ { "stream": "No hay nada que borrar. Escribe «escribe un fichero» primero.", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "delete_file", "result": "there is no" },
    "say": [ { "stream": "There was nothing to delete. Type \"write a file\" first.", "chunk": 5, "every_ms": 15 } ] },

  { "when": { "after": "tool", "tool": "clock", "user": "hora|fecha" },
    "say": [ { "stream": "La herramienta `clock` dice que son las ${result} (UTC).", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "clock" },
    "say": [ { "stream": "The `clock` tool says it is ${result} (UTC).", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "calculator", "result": "^-?[0-9][-+.0-9e]*$", "user": "calcula |calcular |cu(a|á)nto" },
    "say": [ { "stream": "El resultado es ${result}. Lo ha calculado la herramienta `calculator`, no yo.", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "calculator", "result": "^-?[0-9][-+.0-9e]*$" },
    "say": [ { "stream": "The result is ${result}. The `calculator` tool worked it out, not I.", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "write_file", "result": "\"size\"", "user": "escrib|guarda|crea" },
    "say": [ { "stream": "He escrito `notes/demo.txt` en el espacio de esta conversación. Prueba «lee el fichero», «lista los ficheros» o «borra el fichero»; para borrar te pediré permiso.", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "write_file", "result": "\"size\"" },
    "say": [ { "stream": "I wrote `notes/demo.txt` into this conversation's workspace. Try \"read the file\", \"list files\" or \"delete the file\"; before deleting I have to ask you.", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "read_file", "result": "there is no" },
    "say": [ { "stream": "There is no `notes/demo.txt` yet. Type \"write a file\" (or \"escribe un fichero\") first.", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "read_file", "user": "\\blee|leer|muestra" },
    "say": [ { "stream": "El fichero dice:\n\n${result}", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "read_file" },
    "say": [ { "stream": "The file says:\n\n${result}", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "list_files", "user": "lista( |r)|ficheros|archivos" },
    "say": [ { "stream": "En tu espacio de trabajo:\n\n${result}", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "list_files" },
    "say": [ { "stream": "In your workspace:\n\n${result}", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "delegate", "user": "explorador|explora" },
    "say": [ { "stream": "El explorador, otro agente con su propia sesión, dice: «${result}»", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool", "tool": "delegate" },
    "say": [ { "stream": "The scout, another agent in a session of its own, says: \"${result}\"", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "after": "tool" },
    "say": [ { "stream": "The tool answered: ${result}", "chunk": 5, "every_ms": 15 } ] },

  { "when": { "user": "borra|elimina|suprime" },
    "say": [ { "stream": "Borrar no se puede deshacer, así que necesito tu aprobación. ", "chunk": 5, "every_ms": 15 },
             { "tool": "delete_file", "arguments": { "path": "notes/demo.txt" } } ] },
  { "when": { "user": "\\b(delete|remove|erase)\\b" },
    "say": [ { "stream": "Deleting cannot be undone, so I need your approval. ", "chunk": 5, "every_ms": 15 },
             { "tool": "delete_file", "arguments": { "path": "notes/demo.txt" } } ] },
  { "when": { "user": "explorador|explora" },
    "say": [ { "stream": "Se lo encargo a otro agente. ", "chunk": 5, "every_ms": 15 },
             { "tool": "delegate", "arguments": { "agent": "scout", "task": "Mira qué hora es y dilo en español." } } ] },
  { "when": { "user": "\\bscout\\b|\\bdelegate\\b" },
    "say": [ { "stream": "I give this to another agent. ", "chunk": 5, "every_ms": 15 },
             { "tool": "delegate", "arguments": { "agent": "scout", "task": "Find out what time it is, and say it in English." } } ] },
  { "when": { "user": "(?:calculate|calcula|calcular|compute|cu(?:a|á)nto (?:es|son)|how much is)[ :]+([^?=]*[^?= ])" },
    "say": [ { "tool": "calculator", "arguments": { "expression": "${1}" } } ] },
  { "when": { "user": "what is ([-+(]*[0-9][^?=]*[^?= ])" },
    "say": [ { "tool": "calculator", "arguments": { "expression": "${1}" } } ] },
  { "when": { "user": "^ *([-+(]*[0-9][-+*/%^().,0-9 ]*[-+*/%^][-+*/%^().,0-9 ]*[0-9)])[ =?]*$" },
    "say": [ { "tool": "calculator", "arguments": { "expression": "${1}" } } ] },
  { "when": { "user": "(escrib|guarda|crea).*(fichero|archivo|nota)" },
    "say": [ { "tool": "write_file", "arguments": { "path": "notes/demo.txt", "content": "Escrito por el guía de la demostración de Troupe.\nMe pediste: ${user}\n" } } ] },
  { "when": { "user": "\\b(write|save|create)\\b.*\\b(file|note)" },
    "say": [ { "tool": "write_file", "arguments": { "path": "notes/demo.txt", "content": "Written by the guide of the Troupe demo.\nYou asked: ${user}\n" } } ] },
  { "when": { "user": "\\b(read|show|open)\\b.*\\b(file|note)|(\\blee|leer|muestra|abre).*(fichero|archivo|nota)" },
    "say": [ { "tool": "read_file", "arguments": { "path": "notes/demo.txt" } } ] },
  { "when": { "user": "\\blist\\b|\\bls\\b|what files|\\blista\\b|\\blistar\\b|qu(é|e) (ficheros|archivos)" },
    "say": [ { "tool": "list_files", "arguments": {} } ] },
  { "when": { "user": "\\b(time|date|clock)\\b|\\bhora\\b|\\bfecha\\b" },
    "say": [ { "tool": "clock", "arguments": {} } ] },

  { "when": { "user": "\\blargo\\b|\\blarga\\b|cuento|historia" },
    "say": [ { "stream": "Esto es un texto más largo, enviado despacio y a trozos pequeños para que puedas verlo llegar. Mientras llega puedes pulsar parar: lo que ya has leído se queda en la conversación, marcado como cortado. También puedes cerrar la pestaña y volver; cada conversación es un actor con un registro ordenado de hechos, y al volver se te cuenta todo lo que pasó después de lo último que viste, ni repetido ni perdido. Puedes escribir otro mensaje ahora mismo: se pone en la cola y se contesta después. Si el servidor se cae en medio de una respuesta, al arrancar la sigue desde su registro. Y todo esto lo dice un guion, no un modelo: por eso es siempre igual. Fin del texto largo.", "chunk": 4, "every_ms": 20 } ] },
  { "when": { "user": "\\blong\\b|\\bstory\\b|\\bstream" },
    "say": [ { "stream": "This is a longer text, sent slowly and in small pieces so that you can watch it arrive. While it comes you can press stop: what you have already read stays in the conversation, marked as cut. You can also close the tab and come back; every conversation is an actor with an ordered log of facts, and on your return you are told everything that happened after the last thing you saw, nothing twice and nothing lost. You can type another message right now: it joins the queue and is answered next. If the server dies in the middle of an answer, it goes on from its log when it starts again. And all of this is said by a script, not by a model, which is why it never changes. End of the long text.", "chunk": 4, "every_ms": 20 } ] },
  { "when": { "user": "\\bgracias\\b" },
    "say": [ { "stream": "De nada. Escribe «ayuda» para ver qué más sé hacer.", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "user": "\\b(thanks|thank you)\\b" },
    "say": [ { "stream": "You are welcome. Type \"help\" to see what else I can do.", "chunk": 5, "every_ms": 15 } ] },
  { "when": { "user": "\\bhola\\b|\\bbuen(a|o)s\\b|ayuda|qu(é|e) (puedes|sabes)" },
    "say": [ { "stream": "¡Hola! Soy el guía de la demostración de Troupe. Sigo un guion: detrás de mí no hay ningún modelo de lenguaje, y los precios que verás son inventados. Prueba a escribir:\n\n- «hora»: una herramienta que se usa sin preguntar\n- «calcula 2*21»: otra, con datos tuyos\n- «escribe un fichero», «lee el fichero», «lista los ficheros»\n- «borra el fichero»: te pido aprobación antes de hacerlo\n- «pregunta al explorador»: otro agente hace el trabajo en su propia sesión\n- «largo»: un texto que llega despacio, para probar a pararlo\n\nMis dos primeras respuestas fingen ser caras, para que veas un aviso de gasto.", "chunk": 5, "every_ms": 10 } ] },
  { "when": { "user": "\\b(hello|hi|hey|help|good (morning|afternoon|evening))\\b|what can you do|^ *\\?+ *$" },
    "say": [ { "stream": "Hello! I am the guide of the Troupe demo. I follow a script: there is no language model behind me, and the prices you will see are made up. Try typing:\n\n- \"time\": a tool that runs without asking\n- \"calculate 2*21\": another one, with your input\n- \"write a file\", \"read the file\", \"list files\"\n- \"delete the file\": I ask for your approval before I do it\n- \"ask the scout\": another agent does the work in a session of its own\n- \"long\": a text that arrives slowly, so that you can try to stop it\n\nMy first two answers pretend to be expensive, so that you see a cost alert.", "chunk": 5, "every_ms": 10 } ] }
],
"otherwise": [
  { "stream": "I am a scripted guide and did not understand that; no language model is behind me. Type \"help\" to see what I know. (Soy un guion y no te he entendido: escribe «ayuda».)", "chunk": 5, "every_ms": 10 }
]
})json";
  return rules;
}

std::string_view scout_rules() noexcept {
  static constexpr std::string_view rules = R"json({
"rules": [
  { "when": { "after": "tool", "user": "español" },
    "say": [ { "stream": "He mirado el reloj: son las ${result} (UTC).", "chunk": 5, "every_ms": 15 },
             { "usage": { "prompt": 200, "completion": 20 } } ] },
  { "when": { "after": "tool" },
    "say": [ { "stream": "I looked at the clock: it is ${result} (UTC).", "chunk": 5, "every_ms": 15 },
             { "usage": { "prompt": 200, "completion": 20 } } ] }
],
"otherwise": [ { "tool": "clock", "arguments": {} }, { "usage": { "prompt": 150, "completion": 10 } } ]
})json";
  return rules;
}

}  // namespace troupe::app

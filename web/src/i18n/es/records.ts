import type { Same } from '..';
import type en from '../en/records';

const records: Same<typeof en> = {
  project: 'Proyecto',
  agent: 'Agente',
  session: 'Sesión',
  tool: 'Herramienta',
  status: 'Estado',
  user: 'Usuario',
  any: 'Cualquiera',
  reload: 'Leer otra vez',
  more: 'Cargar más',
  copy: 'Copiar',
  was: 'antes:',
  is: 'ahora:',
  shown: (shown, total) => (shown === total ? `${total} en total` : `${shown} de ${total}`),
  filtered: (fitting, loaded, total) => `${fitting} cumplen, de ${loaded} cargadas (${total} en total)`,
  openSession: (name) => `Sesión ${name}`,
  noName: 'sin nombre',
  words: {
    running: 'en marcha', queued: 'espera en la cola', parked: 'espera a una persona', completed: 'terminado', failed: 'fallido', cancelled: 'parado',
    ok: 'bien', open: 'abierto', pending: 'espera', approved: 'aprobada', denied: 'denegada', expired: 'caducada', revoked: 'revocada',
    active: 'activa', paused: 'en pausa', closed: 'cerrada', low: 'bajo', medium: 'medio', high: 'alto', ready: 'lista',
    passed: 'correcto', skipped: 'omitido',
    read_only: 'solo lee', idempotent: 'se puede repetir', once: 'como mucho una vez',
    always: 'pregunta siempre', never: 'no pregunta', by_effect: 'según su efecto', by_rule: 'según reglas', default: 'como diga la herramienta',
  },
};
export default records;

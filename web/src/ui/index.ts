// The ui kit: import everything from here.
export { Button, IconButton } from './Button';
export { Badge, Card, Meter, type Tone } from './Card';
export { Dialog } from './Dialog';
export { EmptyState, ErrorNote, Loading, Note, Spinner } from './Feedback';
export { codeOf, statusOf } from './errors';
export { Checkbox, Field, Input, Select, TextArea } from './Field';
export { Menu, type MenuItem } from './Menu';
export { Table, type Column } from './Table';
export { Tabs, type Tab } from './Tabs';
export { Count, Duration, Json, Missing, Money, Time, toText } from './Values';
export * from './format';
export { useAsync, type Async } from './useAsync';
export { useNow } from './useNow';
export { usePolling } from './usePolling';

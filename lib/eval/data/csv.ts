/**
 * The fields of a CSV text (RFC 4180): commas between them, quotes around those that hold commas, quotes or line ends, two quotes for one.
 * The first line is a record like any other, because MMLU's files have no heading.
 */
export function readCsv(text: string): string[][] {
  const records: string[][] = [];
  let fields: string[] = [];
  let field = '';
  let quoted = false;
  const endField = () => {
    fields.push(field);
    field = '';
  };
  const endRecord = () => {
    endField();
    // A blank line holds nothing.
    if (fields.length > 1 || fields[0] !== '') records.push(fields);
    fields = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (letter === '"' && field === '') quoted = true;
    else if (letter === ',') endField();
    else if (letter === '\n' || letter === '\r') {
      if (letter === '\r' && text[at + 1] === '\n') at += 1;
      endRecord();
    } else field += letter;
  }
  if (field !== '' || fields.length > 0) endRecord();
  return records;
}

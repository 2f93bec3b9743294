/** A text as a CSV field: as it is, or in quotes if it holds a comma, a quote or a line break. */
export function csvField(text: string): string {
  if (!text.includes(',') && !text.includes('"') && !text.includes('\n') && !text.includes('\r')) return text;
  return `"${text.replaceAll('"', '""')}"`;
}

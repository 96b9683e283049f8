const barHeight = 22;
const gap = 8;
const labelWidth = 190;
const chartWidth = 420;

/** Horizontal bars with their values, as a self-contained SVG. */
export function barChart(title: string, bars: readonly { readonly label: string; readonly value: number }[]): string {
  const largest = Math.max(1, ...bars.map((bar) => bar.value));
  const height = 40 + bars.length * (barHeight + gap);
  const rows = bars.map(({ label, value }, index) => {
    const y = 36 + index * (barHeight + gap);
    const width = Math.max(1, Math.round((value / largest) * chartWidth));
    return (
      `<text x="${labelWidth - 8}" y="${y + 15}" text-anchor="end">${escapeXml(label)}</text>` +
      `<rect x="${labelWidth}" y="${y}" width="${width}" height="${barHeight}" fill="#3b6ea5"/>` +
      `<text x="${labelWidth + width + 6}" y="${y + 15}">${value}</text>`
    );
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${labelWidth + chartWidth + 80}" height="${height}" font-family="sans-serif" font-size="13">` +
    `<title>${escapeXml(title)}</title><text x="8" y="20" font-weight="bold">${escapeXml(title)}</text>${rows.join('')}</svg>\n`
  );
}

const escapeXml = (text: string) => text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);

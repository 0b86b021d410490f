import { TableScroll } from "./table-scroll";

/** The numbers of a chart as a table, for whoever cannot see it or wants to copy them. */
export function DataTable({
  summary,
  columns,
  rows,
}: {
  summary: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}) {
  return (
    <details class="data-table">
      <summary>{summary}</summary>
      <TableScroll label={summary}>
        <table>
          <thead>
            <tr>
              {columns.map((column, index) => (
                <th key={column} scope="col" class={index ? "end" : ""}>
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([first, ...others]) => (
              <tr key={first}>
                <th scope="row">{first}</th>
                {others.map((value, index) => (
                  <td key={columns[index + 1]} class="end">
                    {value}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </details>
  );
}

import { Fragment } from "preact";

/** A long name that may go on in the next line after each of these characters. */
export function Breakable({ text, after }: { text: string; after: string }) {
  const parts = text.split(after);
  return (
    <>
      {parts.map((part, index) => (
        <Fragment key={index}>
          {part}
          {index < parts.length - 1 && (
            <>
              {after}
              <wbr />
            </>
          )}
        </Fragment>
      ))}
    </>
  );
}

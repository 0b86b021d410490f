/** The form of one document. What it changes is shown before it is saved. */
import { isImagegenError } from "imagegen-client";
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type {
  CatalogueChange,
  CatalogueDocument,
  CatalogueFields,
  CatalogueKind,
} from "../../../api/admin-types";
import { Button } from "../../../ui/button";
import { Failure } from "../../../ui/failure";
import { Field } from "../../../ui/fields";
import { useAction } from "../../../ui/hooks";
import { notify } from "../../../ui/notices";
import { go } from "../../../ui/router";
import { undoActions } from "../undo";
import { DeleteDocument } from "./delete-document";
import { documentOf, otherFields } from "./documents";
import { KINDS, listOf } from "./kinds";
import { KnownInput } from "./known-input";
import { Review } from "./review";
import { StateBadge } from "./state-badge";

export function Form({
  kind,
  original,
  onStored,
}: {
  kind: CatalogueKind;
  original: CatalogueDocument;
  /** After a document was stored: a new one, a changed one, or again the one of before. */
  onStored: (name: string) => void;
}) {
  const { fields, one } = KINDS[kind];
  const [name, setName] = useState(original.name);
  const [known, setKnown] = useState<CatalogueFields>(original.document);
  const [others, setOthers] = useState(otherFields(original.document, fields));
  const [review, setReview] = useState<CatalogueChange | null>(null);
  const [deletes, setDeletes] = useState(false);
  const put = (more: object) =>
    admin<CatalogueChange>("PUT", at`/${kind}/${name.trim()}`, {
      document: documentOf(known, others, fields),
      ...more,
    });
  const check = useAction(async () => {
    setReview(await put({ reason: "Looked at before it is saved.", dryRun: true }));
  });
  const undone = (actionId: string | undefined, reason: string) =>
    actionId
      ? async () => {
          await undoActions([actionId], reason);
          onStored(original.name);
        }
      : undefined;
  const save = async (reason: string) => {
    const { actionId } = await put({ reason });
    notify(
      `${name.trim()} is saved.`,
      original.name ? undone(actionId, "Saved by mistake.") : undefined,
    );
    onStored(name.trim());
  };
  const remove = async (reason: string) => {
    const { actionId } = await admin<CatalogueChange>("DELETE", at`/${kind}/${original.name}`, {
      reason,
    });
    notify(`${original.name} is deleted.`, undone(actionId, "Deleted by mistake."));
    go(listOf(kind), { replace: true });
  };
  const violations = violationsOf(check.error);
  return (
    <form
      class="card editor"
      onSubmit={(event) => {
        event.preventDefault();
        check.run();
      }}
    >
      {original.name ? (
        <p>
          <StateBadge document={original} />
        </p>
      ) : (
        <Field label="Name" hint="as users see it; it cannot be changed later">
          {(id) => (
            <input
              id={id}
              type="text"
              required
              maxLength={100}
              autocomplete="off"
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
      )}
      <div class="editor-fields">
        {fields.map((field) => (
          <KnownInput
            key={field.name}
            field={field}
            value={known[field.name]}
            problem={violations[field.name]}
            onChange={(value) => setKnown((before) => ({ ...before, [field.name]: value }))}
          />
        ))}
      </div>
      <Field
        label={kind === "models" ? "Settings of the provider" : "Other fields"}
        hint="a JSON object"
      >
        {(id) => (
          <textarea
            id={id}
            class="json"
            rows={Math.min(16, Math.max(3, others.split("\n").length))}
            spellcheck={false}
            value={others}
            onInput={(event) => setOthers(event.currentTarget.value)}
          />
        )}
      </Field>
      {check.error !== null && <Failure error={check.error} />}
      <div class="actions">
        <Button type="submit" kind="primary" busy={check.busy} disabled={!name.trim()}>
          Look at the changes
        </Button>
        {original.name && (
          <Button kind="danger" icon="trash" onClick={() => setDeletes(true)}>
            Delete
          </Button>
        )}
      </div>
      {review && (
        <Review
          name={name.trim()}
          change={review}
          onClose={() => setReview(null)}
          onConfirm={save}
        />
      )}
      {deletes && (
        <DeleteDocument
          name={original.name}
          one={one}
          onClose={() => setDeletes(false)}
          onConfirm={remove}
        />
      )}
    </form>
  );
}

/** What the server says of fields, by their names. */
function violationsOf(error: unknown): Record<string, string> {
  if (!isImagegenError(error) || error.reason !== "INVALID_FIELD") return {};
  return Object.fromEntries(
    error.details.fieldViolations.map(({ field, description }) => [
      field.replace(/^document\./, ""),
      description,
    ]),
  );
}

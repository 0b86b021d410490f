/** What the reasons for a report are called. */
import type { Body } from "../../api/types";

export const REASONS: Record<Body<"reportImage">["reason"], string> = {
  sexual: "Sexual content",
  child_safety: "Harms children",
  violence: "Violence",
  hate: "Hate",
  harassment: "Harassment",
  self_harm: "Self-harm",
  deceptive: "Deceives",
  privacy: "Shows somebody who did not agree",
  copyright: "Copies somebody’s work",
  other: "Something else",
};

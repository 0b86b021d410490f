/** What the function `admin` answers. */
import type { Schemas } from "imagegen-client";
import type { Purchase } from "./types";

export type AccountStatus = Schemas["AccountStatus"];

export type FoundUser = Schemas["UserSummary"];
export type UserPage = Schemas["UserPage"];
export type UserView = Schemas["UserView"];

export type AdminRequest = Schemas["GenerationRequestDetails"];
export type RequestPage = Schemas["GenerationRequestPage"];

export interface AdminPurchase extends Purchase {
  userId?: string | null;
}

export interface AdminPurchasePage {
  purchases: readonly AdminPurchase[];
  nextPageToken?: string;
}

export type FullCatalogue = Schemas["WholeCatalogue"];
export type CatalogueKind = keyof FullCatalogue;
export type CatalogueDocument = Schemas["CatalogueDocument"];
export type CatalogueFields = CatalogueDocument["document"];
export type CatalogueChange = Schemas["CatalogueChange"];

export type DeliveryStatus = "pending" | "delivered" | "failed" | "dropped";

export interface EventDelivery {
  endpointId: string;
  status: DeliveryStatus;
  attempts: number;
  nextAttemptAt?: string | null;
  result?: string;
}

export interface AppEvent {
  eventId: string;
  type: string;
  about: string;
  userId?: string | null;
  createdAt: string;
  deliveries: readonly EventDelivery[];
}

export interface EventPage {
  events: readonly AppEvent[];
  nextPageToken?: string;
}

export interface WebhookEndpoint {
  id: string;
  url: string;
  types: readonly string[];
  enabled: boolean;
  createdAt: string;
  failingSince?: string | null;
  disabledAt?: string | null;
  disabledReason?: string | null;
}

export type Audit = Schemas["AuditView"];
export type AuditPage = Schemas["AuditPage"];

export interface ImageReport {
  reportId: string;
  generationRequestId: string;
  userId: string;
  reason: string;
  comment?: string | null;
  status: "open" | "dismissed" | "deleted";
  createdAt: string;
}

export type AdminAction = Schemas["AdminAction"];
export type ActionPage = Schemas["AdminActionPage"];

export interface ImageReportPage {
  imageReports: readonly ImageReport[];
  nextPageToken?: string;
}

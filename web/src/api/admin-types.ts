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

export type DeliveryStatus = Schemas["DeliveryStatus"];
export type EventDelivery = Schemas["EventDelivery"];
export type AppEvent = Schemas["EventView"];
export type EventPage = Schemas["EventPage"];
export type EventType = Schemas["EventType"];
export type WebhookEndpoint = Schemas["WebhookEndpointView"];
export type EndpointList = Schemas["WebhookEndpointList"];

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

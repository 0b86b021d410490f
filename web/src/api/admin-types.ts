/** What the function `admin` answers. */
import type { Schemas } from "imagegen-client";

export type AccountStatus = Schemas["AccountStatus"];

export type FoundUser = Schemas["UserSummary"];
export type UserPage = Schemas["UserPage"];
export type UserView = Schemas["UserView"];
export type AccountExport = Schemas["AccountExport"];

export type AdminRequest = Schemas["GenerationRequestDetails"];
export type RequestPage = Schemas["GenerationRequestPage"];

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

export type ReportedImage = Schemas["ReportedImage"];
export type ImageReportPage = Schemas["ImageReportPage"];

export type Audit = Schemas["AuditView"];
export type AuditPage = Schemas["AuditPage"];

export type AdminAction = Schemas["AdminAction"];
export type ActionPage = Schemas["AdminActionPage"];

export type AdminPurchase = Schemas["PurchaseDetails"];
export type AdminPurchasePage = Schemas["PurchaseDetailsPage"];

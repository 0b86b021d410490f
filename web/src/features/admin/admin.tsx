/** The screens of administrators. They are loaded when one of them is opened for the first time. */
import "../../styles/admin.css";
import { place, segment } from "../../ui/router";
import { Catalogue } from "./catalogue/catalogue";
import { Editor } from "./catalogue/editor";
import { isKind } from "./catalogue/kinds";
import { Endpoint } from "./events/endpoint";
import { Event } from "./events/event";
import { Events } from "./events/events";
import { Audit } from "./operations/audit";
import { Operations } from "./operations/operations";
import { ReportedImagePage } from "./operations/reported-image";
import { Purchase } from "./purchases/purchase";
import { Purchases } from "./purchases/purchases";
import { Request } from "./requests/request";
import { Requests } from "./requests/requests";
import { User } from "./users/user";
import { Users } from "./users/users";

export function Admin() {
  const below = segment();
  const id = segment(2);
  switch (place.value.path.split("/")[1]) {
    case "users":
      return below ? <User key={below} userId={below} /> : <Users />;
    case "requests":
      return below ? <Request key={below} id={below} /> : <Requests />;
    case "catalogue":
      return <CatalogueScreen kind={below} name={id} />;
    case "events":
      if (below === "endpoints" && id) return <Endpoint key={id} id={id} />;
      return below && below !== "endpoints" ? <Event key={below} id={below} /> : <Events />;
    case "purchases":
      return below ? <Purchase key={below} id={below} /> : <Purchases />;
    case "operations":
      if (below === "audits" && id) return <Audit key={id} id={id} />;
      if (below === "reported-images" && id) return <ReportedImagePage key={id} id={id} />;
      return <Operations />;
    default:
      return null;
  }
}

/** /catalogue, /catalogue/new/{kind} or /catalogue/{kind}/{name} */
function CatalogueScreen({ kind, name }: { kind: string; name: string }) {
  if (kind === "new" && isKind(name)) return <Editor key={`new ${name}`} kind={name} name="" />;
  if (isKind(kind) && name) return <Editor key={`${kind} ${name}`} kind={kind} name={name} />;
  return <Catalogue />;
}

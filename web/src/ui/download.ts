/** Saves an image as a file. Where its server does not allow that, it is opened in a new tab. */
export async function download(url: string, name: string): Promise<void> {
  let file: Blob;
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`The server of the image answered ${response.status}.`);
    file = await response.blob();
  } catch {
    window.open(url, "_blank", "noopener,noreferrer");
    return;
  }
  const extension = file.type.split("/")[1]?.replace("jpeg", "jpg") ?? "png";
  save(file, `${name}.${extension}`);
}

export function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

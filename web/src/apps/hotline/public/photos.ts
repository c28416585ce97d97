// SPDX-License-Identifier: Apache-2.0
// Photos on their way: made smaller in the browser, which also takes out where they were taken, then uploaded one by one.
import { reactive } from "vue";
import { Refusal } from "@/api/client";
import { upload } from "@/apps/hotline/public/api";

export const MOST = 10;
const LONGEST_SIDE = 2048;
const THUMB_SIDE = 160;
const QUALITY = 0.85;
const MB = 1_000_000;
/** What the city takes of one photo, unless it was set up otherwise; above it nothing is even sent. */
const TAKEN_MB = 20;

export interface Photo {
  local: number;
  name: string;
  /** Its number at the city, once it is there. */
  id: number | null;
  /** A small picture as data, so that it survives a reload. */
  thumb: string;
  share: number;
  failure: unknown;
}

/** What is still to be sent of photos that are not there yet; gone when the page is loaded anew. */
const waiting = new Map<number, Blob>();
let last = Date.now();

function drawn(image: ImageBitmap, side: number): HTMLCanvasElement {
  const scale = Math.min(1, side / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  const context = canvas.getContext("2d");
  if (context !== null) {
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
  }
  return canvas;
}

/** The photo as it is sent, with a small one to look at. What the browser cannot read goes as it is, if it is not too large. */
async function prepared(file: File): Promise<{ blob: Blob; thumb: string }> {
  const image = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (image === null) {
    if (!file.type.startsWith("image/")) throw new Refusal(400, "citizen.no_photo", { name: file.name }, "");
    if (file.size > TAKEN_MB * MB) throw new Refusal(400, "kernel.photo_too_large", { limit_mb: TAKEN_MB, size_mb: Math.round(file.size / MB) }, "");
    return { blob: file, thumb: "" };
  }
  const canvas = drawn(image, LONGEST_SIDE);
  const blob = await new Promise<Blob | null>((resolve) => { canvas.toBlob(resolve, "image/jpeg", QUALITY); });
  const thumb = drawn(image, THUMB_SIDE).toDataURL("image/jpeg", 0.6);
  image.close();
  return { blob: blob ?? file, thumb };
}

export async function send(photo: Photo, key: string): Promise<void> {
  const blob = waiting.get(photo.local);
  if (blob === undefined || photo.id !== null) return;
  photo.failure = null;
  photo.share = 0;
  try {
    photo.id = await upload(blob, photo.name, key, (share) => { photo.share = share; });
    waiting.delete(photo.local);
  } catch (caught) { photo.failure = caught; }
}

/** Takes files in; answers with those that are on their way. */
export async function take(files: readonly File[], photos: Photo[], key: string): Promise<void> {
  for (const file of files.slice(0, Math.max(0, MOST - photos.length))) {
    last += 1;
    const photo = reactive<Photo>({ local: last, name: file.name || "photo.jpg", id: null, thumb: "", share: 0, failure: null });
    photos.push(photo);
    try {
      const { blob, thumb } = await prepared(file);
      waiting.set(photo.local, blob);
      photo.thumb = thumb;
      await send(photo, key);
    } catch (caught) { photo.failure = caught; }
  }
}

export const canBeSent = (photo: Photo): boolean => photo.id === null && waiting.has(photo.local);

export function drop(photo: Photo, photos: Photo[]): void {
  waiting.delete(photo.local);
  photos.splice(photos.findIndex((each) => each.local === photo.local), 1);
}

/** Sends what did not get through before; answers whether everything that can be sent is there. */
export async function sendWaiting(photos: readonly Photo[], key: string): Promise<boolean> {
  for (const photo of photos.filter(canBeSent)) await send(photo, key);
  return !photos.some(canBeSent);
}

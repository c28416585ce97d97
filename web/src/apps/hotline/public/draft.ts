// SPDX-License-Identifier: Apache-2.0
// A report as it is written: kept in this browser with every sign typed, until there is a receipt; who wrote it is not.
import { reactive, ref, watch } from "vue";
import { Refusal } from "@/api/client";
import { hotline, newSecret } from "@/apps/hotline/public/api";
import { canBeSent, sendWaiting } from "@/apps/hotline/public/photos";
import type { Photo } from "@/apps/hotline/public/photos";
import type { Given } from "@/apps/hotline/public/types";
import { online, remember, remembered } from "@/citizen/state";

const PLACE = "citybrain.citizen.draft";

export interface Draft {
  text: string; category: string; address: string; longitude: number | null; latitude: number | null; accuracy_m: number | null;
  name: string; phone: string; email: string; public: boolean; key: string; photosKey: string; photos: Photo[];
  /** The words of the first try, which may have come though its answer was lost. */
  tried: string;
  /** It was to be sent and did not get through: it goes when there is a network again. */
  toSend: boolean;
}

const NOBODY = { name: "", phone: "", email: "" };
const fresh = (): Draft => ({
  text: "", category: "", address: "", longitude: null, latitude: null, accuracy_m: null, ...NOBODY, public: true,
  key: newSecret(), photosKey: newSecret(), photos: [], tried: "", toSend: false,
});

/** How many photos were lost because the page was closed before they were there. */
export const lostPhotos = ref(0);

function kept(): Draft {
  const found = remembered(PLACE);
  if (found === null) return fresh();
  try {
    const draft = { ...fresh(), ...(JSON.parse(found) as Partial<Draft>) };
    lostPhotos.value = draft.photos.filter((photo) => photo.id === null).length;
    return { ...draft, photos: draft.photos.filter((photo) => photo.id !== null) };
  } catch { return fresh(); }
}

export const draft = reactive<Draft>(kept());
export const isKept = ref(true);

watch(draft, (now) => {
  const isEmpty = now.text === "" && now.photos.length === 0 && now.address === "" && now.longitude === null;
  isKept.value = remember(PLACE, isEmpty ? null : JSON.stringify({ ...now, ...NOBODY, photos: now.photos.map((photo) => ({ ...photo, failure: null })) }));
}, { deep: true });

export function startAnew(): void {
  Object.assign(draft, fresh());
  lostPhotos.value = 0;
}

/** The receipt, shown until the page is left: its link opens the report, so it lies in no storage unless somebody asks. */
export const receipt = ref<Given | null>(null);

/** Sends the report with its photos. Sent twice it is one, so it may be tried again without fear. */
export async function sendDraft(): Promise<void> {
  draft.toSend = true;
  try {
    if (!online.value || !(await sendWaiting(draft.photos, draft.photosKey))) throw failureOfPhotos();
    const { text, category, longitude, latitude, address, name, phone, email, key } = draft;
    const photos = draft.photos.flatMap((photo) => (photo.id === null ? [] : [photo.id]));
    draft.tried ||= text;
    const given = await hotline.tell({ text, category, longitude, latitude, address, name, phone, email, public: draft.public, key, photos, photos_key: draft.photosKey });
    if (draft.tried !== text) await addWhatIsNew(given, text);
    receipt.value = given;
    startAnew();
  } catch (caught) {
    if (!(caught instanceof Refusal) || caught.status !== 0) draft.toSend = false;
    throw caught;
  }
}

/** When the first try had come after all, the report has its words: those written since are added to it. */
async function addWhatIsNew(given: Given, text: string): Promise<void> {
  const { followed } = await hotline.story(given.link);
  if (followed.report.text !== text.trim()) await hotline.add(given.link, text);
}

function failureOfPhotos(): unknown {
  const failed = draft.photos.find((photo) => canBeSent(photo) && photo.failure !== null);
  return online.value && failed ? failed.failure : new Refusal(0, "web.unreachable", {}, "");
}

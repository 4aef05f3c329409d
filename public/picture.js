// Pictures are made smaller in the browser before they travel: a phone's photograph of 5 MB becomes one of 200 KB,
// without the place where it was taken.

const longestSide = 1280;

/**
 * Makes a JPEG of at most maxBytes from a picture file.
 * @param {Blob} file
 * @param {number} maxBytes
 * @returns {Promise<Blob>} rejects with a message for people
 */
export async function shrink(file, maxBytes) {
  if (!file.type.startsWith("image/")) throw new Error("That is not a picture.");
  const picture = await createImageBitmap(file).catch(() => {
    throw new Error("Your browser cannot read this picture. Try a JPEG or a PNG.");
  });
  try {
    for (let side = longestSide; side >= 320; side = Math.round(side / 1.5)) {
      for (const quality of [0.85, 0.7]) {
        const blob = await draw(picture, side, quality);
        if (blob && blob.size <= maxBytes) return blob;
      }
    }
  } finally {
    picture.close();
  }
  throw new Error(`This picture does not get smaller than ${Math.round(maxBytes / 1024)} KB, the most that fits.`);
}

function draw(picture, side, quality) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const paper = canvas.getContext("2d");
  paper.fillStyle = "#fff"; // what is transparent in a PNG
  paper.fillRect(0, 0, canvas.width, canvas.height);
  paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
}

// puppeteer-cluster: pages of one browser, a click for each attachment.
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.env.PEERS_NODE, "package.json"));
const { Cluster } = require("puppeteer-cluster");
const puppeteer = require("puppeteer-core");

const job = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const LOADED = "#attachments[data-state=loaded]";
const LINKS = ".attachment_link";

const cluster = await Cluster.launch({
  concurrency: Cluster.CONCURRENCY_PAGE,
  maxConcurrency: job.tab_count,
  puppeteer,
  puppeteerOptions: {
    executablePath: job.browser,
    headless: "shell",
    userDataDir: job.profile,
    args: process.getuid() === 0 ? ["--no-sandbox"] : [],
  },
});
const cookies = job.cookies.map(({ name, value, domain, path }) => ({ name, value, domain, path }));

// The browser tells of all downloads; each belongs to the page whose frame began it, which makes one at a time.
const waiting = new Map(); // of a frame: what is called when its download is done
const begun = new Map(); // of a download: its frame and name
let prepared = null;
const prepare = async (page) => {
  const browser = page.browser();
  await page.setCookie(...cookies); // once: it deletes them for a moment, and other pages with them
  const session = await browser.target().createCDPSession();
  session.on("Browser.downloadWillBegin", ({ guid, frameId, suggestedFilename }) =>
    begun.set(guid, { frameId, suggestedFilename }),
  );
  session.on("Browser.downloadProgress", ({ guid, state }) => {
    if (state === "inProgress" || !begun.has(guid)) return;
    const { frameId, suggestedFilename } = begun.get(guid);
    begun.delete(guid);
    waiting.get(frameId)?.(path.join(job.folder, guid), suggestedFilename);
  });
  mkdirSync(job.folder, { recursive: true });
  const behaviour = { behavior: "allowAndName", downloadPath: job.folder, eventsEnabled: true };
  await session.send("Browser.setDownloadBehavior", behaviour);
};

await cluster.task(async ({ page, data: address }) => {
  await (prepared ??= prepare(page));
  const folder = path.join(job.folder, address.split("/").pop());
  mkdirSync(folder);
  await page.goto(address);
  await page.waitForSelector(LOADED);
  const frameId = page.mainFrame()._id;
  for (const link of await page.$$(LINKS)) {
    const done = new Promise((resolve) => waiting.set(frameId, (file, name) => resolve({ file, name })));
    await link.evaluate((element) => element.click());
    const { file, name } = await done;
    renameSync(file, path.join(folder, name));
  }
  console.log(JSON.stringify({ type: "task_ended", address }));
});
cluster.on("taskerror", (error) => console.error(error.message));
for (const address of job.addresses) cluster.queue(address);
await cluster.idle();
await cluster.close();

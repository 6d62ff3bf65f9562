/** A registry on loopback that has one package, and a project that takes its scope from there. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { readJson } from "./scratch.ts";

/** What a program needs to import the package from the registry. */
export interface Registry {
  /** Name and version. */
  specifier: string;
  /** Keeps what Deno downloads out of its ordinary cache. */
  env: Record<string, string>;
}

/** Runs with a registry that serves the package in `folder`, packed as `tarball`, and an empty project. */
export async function withRegistry(
  folder: URL,
  tarball: URL,
  body: (registry: Registry, project: URL) => Promise<void>,
): Promise<void> {
  const manifest = readJson(new URL("package.json", folder)), { name, version } = manifest;
  const bytes = readFileSync(tarball),
    integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  const server = createServer((request, response) => {
    if (request.url === "/package.tgz") return void response.end(bytes);
    if (decodeURIComponent(request.url ?? "") !== `/${name}`) return void response.writeHead(404).end();
    const dist = { tarball: `${url}package.tgz`, integrity };
    const versions = { [version]: { ...manifest, dist } };
    response.end(JSON.stringify({ name, "dist-tags": { latest: version }, versions }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const project = pathToFileURL(`${mkdtempSync(`${tmpdir()}/berth-registry-`)}/`);
  try {
    writeFileSync(new URL(".npmrc", project), `${name.split("/")[0]}:registry=${url}\n`);
    writeFileSync(new URL("deno.json", project), "{}");
    const env = { DENO_DIR: fileURLToPath(new URL("deno", project)) };
    await body({ specifier: `${name}@${version}`, env }, project);
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(project, { recursive: true });
  }
}

/** How a page's address asks berth to start. */
import type { InitOptions } from "@berth/berth";

export function optionsOf(search: string): InitOptions {
  const { threads, profile, assets } = Object.fromEntries(new URLSearchParams(search));
  return {
    ...(threads ? { threads: Number(threads) } : {}),
    ...(profile ? { profile: profile as InitOptions["profile"] } : {}),
    ...(assets ? { assets } : {}),
  };
}

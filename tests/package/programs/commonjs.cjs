import("@berth/berth").then(async (berth) => {
  const { args, train } = await import("./train.mjs");
  await train(berth, args);
});

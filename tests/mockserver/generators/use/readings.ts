// Prints what a program reads, in the form that every program has.
type Read = (runId: string, key?: string) => PromiseLike<string | null | undefined>;

export async function printReadings(read: Read, ended: string[] | undefined) {
  console.log(
    JSON.stringify({
      completed: await read("run_b7h2k9"),
      failed: await read("run_p3n8q1"),
      running: await read("run_d2p5w8"),
      ended,
      unauthorized: await read("run_b7h2k9", "wrong"),
      unknown: await read("run_none"),
      limited: await read("run_429"),
    }),
  );
}

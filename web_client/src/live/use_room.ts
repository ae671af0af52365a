/** A media room for as long as a component stands (会场挂钩). */
import { useEffect, useMemo } from "preact/hooks";
import { LiveRoom } from "./room.ts";

export function useRoom(name: string): LiveRoom {
  const room = useMemo(() => new LiveRoom(name), [name]);
  useEffect(() => {
    room.open();
    return () => room.close();
  }, [room]);
  return room;
}

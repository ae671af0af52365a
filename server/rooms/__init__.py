"""Rooms (房间): one actor per stream, the only place where the pure rules meet await.

A room drains its bounded queue, decides, makes everything durable with one append, and only then
answers and publishes. `room` is the actor, `kinds` says which rules it plays, `flows` carries
facts from room to room, `hall` is all of it together, as the listeners see it.
"""

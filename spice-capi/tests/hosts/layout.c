/* Prints where the fields of the public structs are: "struct.field offset size", and each struct's own size and alignment as
 * the fields "(size)" and "(align)". What it prints is what the headers and the compiler of this machine make of them. */
#include <spice.h>
#include <stddef.h>
#include <stdio.h>

#define STRUCT(s) printf("%s.(size) 0 %zu\n%s.(align) 0 %zu\n", #s, sizeof(s), #s, _Alignof(s))
#define FIELD(s, f) printf("%s.%s %zu %zu\n", #s, #f, offsetof(s, f), sizeof(((s *)0)->f))

int main(void)
{
    STRUCT(SpiceBaseInterface);
    FIELD(SpiceBaseInterface, type);
    FIELD(SpiceBaseInterface, description);
    FIELD(SpiceBaseInterface, major_version);
    FIELD(SpiceBaseInterface, minor_version);
    STRUCT(SpiceBaseInstance);
    FIELD(SpiceBaseInstance, sif);

    STRUCT(SpiceChannelEventInfo);
    FIELD(SpiceChannelEventInfo, connection_id);
    FIELD(SpiceChannelEventInfo, type);
    FIELD(SpiceChannelEventInfo, id);
    FIELD(SpiceChannelEventInfo, flags);
    FIELD(SpiceChannelEventInfo, laddr);
    FIELD(SpiceChannelEventInfo, paddr);
    FIELD(SpiceChannelEventInfo, llen);
    FIELD(SpiceChannelEventInfo, plen);
    FIELD(SpiceChannelEventInfo, laddr_ext);
    FIELD(SpiceChannelEventInfo, paddr_ext);
    FIELD(SpiceChannelEventInfo, llen_ext);
    FIELD(SpiceChannelEventInfo, plen_ext);

    STRUCT(SpiceCoreInterface);
    FIELD(SpiceCoreInterface, base);
    FIELD(SpiceCoreInterface, timer_add);
    FIELD(SpiceCoreInterface, timer_start);
    FIELD(SpiceCoreInterface, timer_cancel);
    FIELD(SpiceCoreInterface, timer_remove);
    FIELD(SpiceCoreInterface, watch_add);
    FIELD(SpiceCoreInterface, watch_update_mask);
    FIELD(SpiceCoreInterface, watch_remove);
    FIELD(SpiceCoreInterface, channel_event);

    STRUCT(QXLInterface);
    FIELD(QXLInterface, base);
    FIELD(QXLInterface, attached_worker);
    FIELD(QXLInterface, attache_worker);
    FIELD(QXLInterface, set_compression_level);
    FIELD(QXLInterface, set_mm_time);
    FIELD(QXLInterface, get_init_info);
    FIELD(QXLInterface, get_command);
    FIELD(QXLInterface, req_cmd_notification);
    FIELD(QXLInterface, release_resource);
    FIELD(QXLInterface, get_cursor_command);
    FIELD(QXLInterface, req_cursor_notification);
    FIELD(QXLInterface, notify_update);
    FIELD(QXLInterface, flush_resources);
    FIELD(QXLInterface, async_complete);
    FIELD(QXLInterface, update_area_complete);
    FIELD(QXLInterface, set_client_capabilities);
    FIELD(QXLInterface, client_monitors_config);

    STRUCT(QXLInstance);
    FIELD(QXLInstance, base);
    FIELD(QXLInstance, id);
    FIELD(QXLInstance, st);

    STRUCT(QXLDevInitInfo);
    FIELD(QXLDevInitInfo, num_memslots_groups);
    FIELD(QXLDevInitInfo, num_memslots);
    FIELD(QXLDevInitInfo, memslot_gen_bits);
    FIELD(QXLDevInitInfo, memslot_id_bits);
    FIELD(QXLDevInitInfo, qxl_ram_size);
    FIELD(QXLDevInitInfo, internal_groupslot_id);
    FIELD(QXLDevInitInfo, n_surfaces);

    STRUCT(QXLDevMemSlot);
    FIELD(QXLDevMemSlot, slot_group_id);
    FIELD(QXLDevMemSlot, slot_id);
    FIELD(QXLDevMemSlot, generation);
    FIELD(QXLDevMemSlot, virt_start);
    FIELD(QXLDevMemSlot, virt_end);
    FIELD(QXLDevMemSlot, addr_delta);
    FIELD(QXLDevMemSlot, qxl_ram_size);

    STRUCT(QXLDevSurfaceCreate);
    FIELD(QXLDevSurfaceCreate, width);
    FIELD(QXLDevSurfaceCreate, height);
    FIELD(QXLDevSurfaceCreate, stride);
    FIELD(QXLDevSurfaceCreate, format);
    FIELD(QXLDevSurfaceCreate, position);
    FIELD(QXLDevSurfaceCreate, mouse_mode);
    FIELD(QXLDevSurfaceCreate, flags);
    FIELD(QXLDevSurfaceCreate, type);
    FIELD(QXLDevSurfaceCreate, mem);
    FIELD(QXLDevSurfaceCreate, group_id);

    STRUCT(QXLCommand);
    FIELD(QXLCommand, data);
    FIELD(QXLCommand, type);
    FIELD(QXLCommand, padding);
    STRUCT(QXLCommandExt);
    FIELD(QXLCommandExt, cmd);
    FIELD(QXLCommandExt, group_id);
    FIELD(QXLCommandExt, flags);
    STRUCT(QXLReleaseInfo);
    FIELD(QXLReleaseInfo, id);
    FIELD(QXLReleaseInfo, next);
    STRUCT(QXLReleaseInfoExt);
    FIELD(QXLReleaseInfoExt, info);
    FIELD(QXLReleaseInfoExt, group_id);
    STRUCT(QXLRect);
    FIELD(QXLRect, top);
    FIELD(QXLRect, left);
    FIELD(QXLRect, bottom);
    FIELD(QXLRect, right);

    STRUCT(SpiceKbdInterface);
    FIELD(SpiceKbdInterface, base);
    FIELD(SpiceKbdInterface, push_scan_freg);
    FIELD(SpiceKbdInterface, get_leds);
    STRUCT(SpiceKbdInstance);
    FIELD(SpiceKbdInstance, base);
    FIELD(SpiceKbdInstance, st);

    STRUCT(SpiceMouseInterface);
    FIELD(SpiceMouseInterface, base);
    FIELD(SpiceMouseInterface, motion);
    FIELD(SpiceMouseInterface, buttons);
    STRUCT(SpiceMouseInstance);
    FIELD(SpiceMouseInstance, base);
    FIELD(SpiceMouseInstance, st);

    STRUCT(SpiceTabletInterface);
    FIELD(SpiceTabletInterface, base);
    FIELD(SpiceTabletInterface, set_logical_size);
    FIELD(SpiceTabletInterface, position);
    FIELD(SpiceTabletInterface, wheel);
    FIELD(SpiceTabletInterface, buttons);
    STRUCT(SpiceTabletInstance);
    FIELD(SpiceTabletInstance, base);
    FIELD(SpiceTabletInstance, st);

    STRUCT(SpicePlaybackInterface);
    FIELD(SpicePlaybackInterface, base);
    STRUCT(SpicePlaybackInstance);
    FIELD(SpicePlaybackInstance, base);
    FIELD(SpicePlaybackInstance, st);

    STRUCT(SpiceRecordInterface);
    FIELD(SpiceRecordInterface, base);
    STRUCT(SpiceRecordInstance);
    FIELD(SpiceRecordInstance, base);
    FIELD(SpiceRecordInstance, st);

    STRUCT(SpiceCharDeviceInterface);
    FIELD(SpiceCharDeviceInterface, base);
    FIELD(SpiceCharDeviceInterface, state);
    FIELD(SpiceCharDeviceInterface, write);
    FIELD(SpiceCharDeviceInterface, read);
    FIELD(SpiceCharDeviceInterface, event);
    FIELD(SpiceCharDeviceInterface, flags);
    STRUCT(SpiceCharDeviceInstance);
    FIELD(SpiceCharDeviceInstance, base);
    FIELD(SpiceCharDeviceInstance, subtype);
    FIELD(SpiceCharDeviceInstance, st);
    FIELD(SpiceCharDeviceInstance, portname);

    STRUCT(SpiceMigrateInterface);
    FIELD(SpiceMigrateInterface, base);
    FIELD(SpiceMigrateInterface, migrate_connect_complete);
    FIELD(SpiceMigrateInterface, migrate_end_complete);
    STRUCT(SpiceMigrateInstance);
    FIELD(SpiceMigrateInstance, base);
    FIELD(SpiceMigrateInstance, st);
    return 0;
}

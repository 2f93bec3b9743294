import { FolderFeed } from '../../../src/files/folder-feed.ts';
import { Letters } from '../../../src/files/letters.ts';
import type { RowFormat } from '../../../src/files/row-format.ts';
import { openMemoryDatabase } from '../../../state/memory-database.ts';
import fs from 'node:fs';
const columns=(process.argv[3]??'id_evt,date_occur_evt,date_system_evt,type_evt,type_equipement,id_equipement,info_div').split(',');
class Ev{constructor(readonly n:number,readonly d:number){}}
const keys:string[]=[];
const format:RowFormat<string,Ev>={columns,decode(row,out){const b=row.bytes;let n=0;for(let i=row.starts[5]!,e=row.ends[5]!;i<e;i++)n=n*10+b[i]!-48;let d=0;for(let i=row.starts[0]!,e=i+8;i<e;i++)d=d*10+b[i]!-48;out.key=keys[n]??=('C:'+n);out.value=new Ev(n,d);return undefined;},timestampOf(v){return v.d}};
const tmp=fs.mkdtempSync('/tmp/weirfeed/st');
const cpu=()=>{const c=process.cpuUsage();return (c.user+c.system)/1e6};
for(let r=0;r<3;r++){
const dead=await Letters.open(tmp+'/dead'+r),late=await Letters.open(tmp+'/late'+r);
const db=await openMemoryDatabase('');
const feed=new FolderFeed({topic:'t',directory:process.argv[2]!,format,dead,late,keyPrefix:Buffer.from('p'),batchRows:Number(process.env.ROWS??4096)});
const t=performance.now(),c=cpu();
await feed.open(db);const to=performance.now()-t;
let rows=0,acc=0,saved=performance.now(),saves=0,st=0;
for(;;){const b=await feed.poll();if(b===undefined||b==='idle')break;const v=b.values as Ev[];for(let i=0;i<b.length;i++)acc+=v[i]!.n;rows+=b.length;b.accept(b.length);
if(performance.now()-saved>1000){const x=performance.now();const w=db.batch();await feed.save(w);await w.write({sync:false});saved=performance.now();saves++;st+=saved-x}}
const w=db.batch();await feed.save(w);await w.write({sync:false});
await feed.close();await dead.close();await late.close();
const s=(performance.now()-t)/1e3,cs=cpu()-c;
console.log(rows,'rows',s.toFixed(2),'s wall',cs.toFixed(2),'cpu s',(rows/s/1e6).toFixed(2),'M/s',(rows/cs/1e6).toFixed(2),'M/cpu-s','open ms',to.toFixed(0),'save ms',st.toFixed(1),'rss',(process.memoryUsage().rss/1e6).toFixed(0),JSON.stringify(feed.progress));
}
